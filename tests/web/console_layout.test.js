import assert from "node:assert/strict";
import test from "node:test";

import { CHOICES, arrange, neighbour, rowsOf, smallestFor, stripOf, turned } from "../../supervisor_console/lib/layout.js";
import { zoomOf } from "../../supervisor_console/lib/zoom.js";

const calls = (n) => Array.from({ length: n }, (_, place) => ({ id: `c${place}`, place }));
const onPage = (layout) => [...layout.grid.filter((id) => id !== null), ...layout.strip];

test("no layout, page or focus ever takes a call off the page", () => {
  for (let n = 0; n <= 24; n += 1) {
    for (const choice of ["auto", ...CHOICES]) {
      for (const at of [null, "c0", `c${n - 1}`]) {
        for (const focus of [null, at]) {
          const shown = onPage(arrange(calls(n), { choice, at, focus }));
          assert.deepEqual([...shown].sort(), calls(n).map((call) => call.id).sort(), `${n} calls, ${choice}, at ${at}, focus ${focus}`);
        }
      }
    }
  }
});

for (const [n, size] of [[0, 1], [1, 1], [2, 2], [3, 4], [5, 6], [7, 9], [10, 16], [16, 16], [20, 16]]) {
  test(`${n} calls get ${size} tiles by themselves`, () => assert.equal(smallestFor(calls(n)), size));
}

test("a gap is kept: tiles do not move when a call ends", () => {
  const layout = arrange([{ id: "a", place: 0 }, { id: "c", place: 2 }], { choice: "auto", at: null, focus: null });

  assert.deepEqual(layout.grid, ["a", null, "c", null]);
});

test("a small layout shows the page that the keyboard is on, each call in its own cell of it", () => {
  const layout = arrange(calls(6), { choice: 4, at: "c5", focus: null });

  assert.deepEqual(layout.grid, ["c4", "c5", null, null]);
  assert.deepEqual(layout.strip, ["c0", "c1", "c2", "c3"]);
});

test("focus on a call that is gone is no focus", () => {
  assert.equal(arrange(calls(2), { choice: "auto", at: null, focus: "c9" }).size, 2);
});

test("the strip carries every call in order, in every layout and focus, and never needs to scroll", () => {
  for (const zoom of [1, 2, 4]) {
    for (const height of [500, 600, 720, 950]) {
      for (let n = 1; n <= 20; n += 1) {
        for (const [choice, focus] of [["auto", null], [1, null], [4, null], [16, null], ["auto", "c0"]]) {
          const layout = arrange(calls(n), { choice, at: null, focus });
          const { columns, cellHeight, markHeight } = stripOf(layout, { height: Math.floor(height / zoom), zoom });
          const what = `${n} calls, ${choice}, focus ${focus}, ${height} high at ${zoom}`;
          assert.deepEqual(columns.flatMap((column) => column.ids), calls(n).map((call) => call.id), what);
          for (const { ids, width } of columns) {
            const cells = ids.filter((id) => layout.strip.includes(id));
            const used = cells.length * cellHeight + (ids.length - cells.length) * markHeight + (ids.length - 1) * 4;
            assert.ok(used <= Math.floor(height / zoom), `${what}: too high`);
            if (cells.length) assert.ok(zoom * ((width - 44 - 6 - 4) / 2) >= 96, `${what}: pictures too narrow to count`);
          }
          assert.ok(zoom * (cellHeight - 6) >= 55, `${what}: pictures too low to count`);
          assert.ok(markHeight >= 24, `${what}: a mark too low to press`);
        }
      }
    }
  }
});

const inWindow = (width, height, zoom) => ({ width: width - 320, height: height - 130, zoom, view: { width, height } });

test("a window without room for the chosen tiles has fewer, and every other call live in the strip", () => {
  const layout = arrange(calls(16), { choice: 16, at: "c0", focus: null, room: inWindow(1366, 680, 1) });

  assert.ok(layout.size > 0 && layout.size < 16);
  assert.equal(layout.grid.filter((id) => id !== null).length + layout.strip.length, 16);
  assert.equal(arrange(calls(16), { choice: 16, at: "c0", focus: null, room: inWindow(1920, 1050, 1) }).size, 16);
});

test("a window with no room for one call beside the strip has every call in a strip across it, at 400 % of a small laptop too", () => {
  for (const [width, height, zoom, size] of [[341, 170, 4, 0], [1093, 545, 1.25, 0], [1280, 720, 1, 1]]) {
    const layout = arrange(calls(16), { choice: 4, at: null, focus: "c3", room: inWindow(width, height, zoom) });
    assert.equal(layout.size, size, `${width} × ${height}`);
    assert.equal(layout.strip.length, 16 - size);
  }
  const { cellWidth, cellHeight } = rowsOf(4);
  const across = Math.floor((341 - 4 + 2) / (cellWidth + 2));
  assert.ok(Math.ceil(16 / across) * (cellHeight + 2) < 170);
});

test("a layout of fewer tiles than calls has pages, and a page without a call is passed over", () => {
  const some = [...calls(6), { id: "c14", place: 14 }];
  const first = arrange(some, { choice: 4, at: "c0", focus: null });
  assert.deepEqual([first.page, first.pages], [0, 4]);
  assert.equal(turned(first, some, 1), "c4");
  assert.equal(turned(first, some, -1), null);

  const second = arrange(some, { choice: 4, at: "c4", focus: null });
  assert.equal(turned(second, some, 1), "c14");
  assert.equal(turned(second, some, -1), "c0");
});

test("zoom is what both the window and the pixels say, so that a side panel does not pass for it", () => {
  assert.equal(zoomOf({ outerWidth: 1920, innerWidth: 960, devicePixelRatio: 2 }), 2);
  assert.equal(zoomOf({ outerWidth: 1920, innerWidth: 960, devicePixelRatio: 1 }), 1);
  assert.equal(zoomOf({ outerWidth: 1920, innerWidth: 1920, devicePixelRatio: 2 }), 1);
  assert.equal(zoomOf({ outerWidth: 1920, innerWidth: 3840, devicePixelRatio: 0.5 }), 0.5);
  assert.equal(zoomOf({ outerWidth: 0, innerWidth: 0, devicePixelRatio: 1 }), 1);
});

test("arrows go through the grid by its columns, then on to the strip, and stop at the edges", () => {
  const layout = arrange(calls(6), { choice: 4, at: "c0", focus: null });

  assert.equal(neighbour(layout, "c0", "right"), "c1");
  assert.equal(neighbour(layout, "c0", "down"), "c2");
  assert.equal(neighbour(layout, "c0", "left"), "c0");
  assert.equal(neighbour(layout, "c3", "right"), "c4");
  assert.equal(neighbour(layout, "c5", "down"), "c5");
  assert.equal(neighbour(layout, "c4", "up"), "c3");
  assert.equal(neighbour(layout, null, "up"), "c0");
});

test("an arrow steps over an empty place", () => {
  const layout = arrange([{ id: "a", place: 0 }, { id: "c", place: 2 }, { id: "d", place: 3 }], { choice: "auto", at: "a", focus: null });

  assert.equal(neighbour(layout, "a", "right"), "c");
});
