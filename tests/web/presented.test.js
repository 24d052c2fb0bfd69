// @ts-check
/** When a page may say that it has presented something. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { whenPresented } from "../../web/lib/presented.js";

/** A page on a table: its visibility, what is in view, and its frames are turned by hand. */
function aPage() {
  const page = {
    visible: true,
    changed: () => {},
    seen: (/** @type {number} */ _) => {},
    frames: /** @type {(() => void)[]} */ ([]),
    shown: 0,
    stop: () => {},
    paint() {
      const due = page.frames;
      page.frames = [];
      for (const run of due) run();
    },
  };
  const tools = {
    isVisible: () => page.visible,
    onVisible: (/** @type {() => void} */ changed) => ((page.changed = changed), () => (page.changed = () => {})),
    watch: (/** @type {any} */ _, /** @type {(ratio: number) => void} */ seen) => ((page.seen = seen), () => (page.seen = () => {})),
    frame: (/** @type {() => void} */ done) => {
      page.frames.push(done);
      return () => (page.frames = page.frames.filter((one) => one !== done));
    },
  };
  page.stop = whenPresented(/** @type {any} */ ({}), () => (page.shown += 1), tools);
  return page;
}

test("words in view on a visible page are presented once a frame has been painted, and said once", () => {
  const page = aPage();
  page.seen(1);
  assert.equal(page.shown, 0);
  page.paint();
  assert.equal(page.shown, 0);
  page.paint();
  page.seen(1);
  page.paint();
  page.paint();
  assert.equal(page.shown, 1);
});

test("a hidden page presents nothing until it is shown", () => {
  const page = aPage();
  page.visible = false;
  page.seen(1);
  page.paint();
  page.paint();
  assert.equal(page.shown, 0);
  page.visible = true;
  page.changed();
  page.paint();
  page.paint();
  assert.equal(page.shown, 1);
});

test("words that are half out of view, or that go before a frame is painted, are not presented", () => {
  const page = aPage();
  page.seen(0.5);
  page.paint();
  page.paint();
  page.seen(1);
  page.paint();
  page.seen(0);
  page.paint();
  assert.equal(page.shown, 0);
  page.seen(1);
  page.stop();
  page.paint();
  page.paint();
  assert.equal(page.shown, 0);
});
