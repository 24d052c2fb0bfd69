import assert from "node:assert/strict";
import test from "node:test";

import { actionFor } from "../../supervisor_console/lib/keys.js";

const key = (name, more = {}) => ({ key: name, code: /^\d$/.test(name) ? `Digit${name}` : "", shift: false, other: false, repeat: false, ...more });
const wall = { panel: "none", letters: true, inField: false, onControl: false, onTile: false };

for (const [name, action] of [
  ["p", { type: "pause" }],
  ["P", { type: "pause" }],
  ["u", { type: "undo" }],
  ["t", { type: "relabel" }],
  ["r", { type: "clear" }],
  ["w", { type: "warn" }],
  ["e", { type: "end" }],
  ["i", { type: "identity" }],
  ["Escape", { type: "back" }],
  ["Enter", { type: "focus" }],
  ["ArrowLeft", { type: "move", way: "left" }],
  ["PageDown", null],
  ["3", { type: "tile", number: 3 }],
  ["0", { type: "tile", number: 10 }],
  ["x", null],
  [" ", null],
]) {
  test(`on the wall the key ${JSON.stringify(name)} means ${action?.type ?? "nothing"}`, () => {
    assert.deepEqual(actionFor(key(name), wall), action);
  });
}

test("pages are turned where there are any, and nothing is taken from what scrolls", () => {
  assert.deepEqual(actionFor(key("PageDown"), { ...wall, pages: 2 }), { type: "page", step: 1 });
  assert.deepEqual(actionFor(key("PageUp"), { ...wall, pages: 2 }), { type: "page", step: -1 });
  assert.equal(actionFor(key("PageDown"), { ...wall, pages: 1 }), null);
  for (const name of ["ArrowDown", "ArrowUp", "PageDown"]) assert.equal(actionFor(key(name), { ...wall, pages: 2, scrolls: true }), null);
});

test("shift and a digit are tiles 11 to 16, by the place of the key on any keyboard", () => {
  assert.deepEqual(actionFor({ ...key("!"), code: "Digit1", shift: true }, wall), { type: "tile", number: 11 });
  assert.equal(actionFor({ ...key("&"), code: "Digit7", shift: true }, wall), null);
});

test("the question mark shows the keys, with shift or without", () => {
  assert.deepEqual(actionFor({ ...key("?"), shift: true, code: "Slash" }, wall), { type: "keys" });
});

test("after a pause a digit is a reason and never another call", () => {
  assert.deepEqual(actionFor(key("2"), { ...wall, panel: "reason" }), { type: "choose", number: 2 });
});

test("in the identity check Enter admits, but a button takes its own Enter", () => {
  assert.deepEqual(actionFor(key("Enter"), { ...wall, panel: "identity" }), { type: "confirm" });
  assert.equal(actionFor(key("Enter"), { ...wall, panel: "identity", onControl: true }), null);
});

test("letters do nothing while somebody types, and Escape still leads back", () => {
  assert.equal(actionFor(key("p"), { ...wall, inField: true }), null);
  assert.deepEqual(actionFor(key("Escape"), { ...wall, inField: true }), { type: "back" });
});

test("letters and digits can be turned off (WCAG 2.1.4); arrows, Enter and Escape stay", () => {
  const off = { ...wall, letters: false };

  for (const name of ["p", "e", "3", "?"]) assert.equal(actionFor(key(name), off), null);
  assert.deepEqual(actionFor(key("ArrowUp"), off), { type: "move", way: "up" });
});

test("keys of the browser, and a key held down, are left alone", () => {
  assert.equal(actionFor(key("p", { other: true }), wall), null);
  assert.equal(actionFor(key("e", { repeat: true }), wall), null);
});
