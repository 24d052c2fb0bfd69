import assert from "node:assert/strict";
import test from "node:test";

import { CHOICES, arrange, neighbour, smallestFor, stripShape } from "../../supervisor_console/lib/layout.js";

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

test("every cell of the strip holds pictures that are big enough to count", () => {
  for (const height of [500, 600, 720, 950]) {
    for (let cells = 1; cells <= 19; cells += 1) {
      const { columns, width, cellHeight } = stripShape(cells, height);
      const rows = Math.ceil(cells / columns);
      assert.ok(cellHeight - 6 >= 55, `${cells} cells in ${height}: ${cellHeight} high`);
      assert.ok(rows * cellHeight + (rows - 1) * 6 <= height, `${cells} cells in ${height}: too high`);
      assert.ok((width - (columns - 1) * 6) / columns - 44 - 6 >= 2 * 97, `${cells} cells in ${height}: too narrow`);
    }
  }
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
