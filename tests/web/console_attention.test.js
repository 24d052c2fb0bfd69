import assert from "node:assert/strict";
import test from "node:test";

import { isOverdue, nextDue, notProven, offerOf, standingOf } from "../../supervisor_console/lib/attention.js";
import { lookOf } from "../../supervisor_console/lib/calls.js";
import { changesBetween } from "../../supervisor_console/lib/changes.js";
import { actionFor } from "../../supervisor_console/lib/keys.js";
import { aCall, boardOf } from "./support/builders.js";

const NOW = Date.parse("2026-11-24T14:00:00Z");

function part(state, unwatched, limit, more = {}) {
  const due = new Date(NOW + (limit - unwatched) * 1000).toISOString();
  return { limit_s: limit, unwatched_s: unwatched, state, looked_at: null, due_at: due, in_focus: false, by: "M1", by_name: "M", ...more };
}

const live = (id, attention) => aCall({ id, phase: "live", attention });

test("a call past its limit looks unwatched, with its seconds and its limit", () => {
  const call = live("v1", part("overdue", 47, 30));
  const board = boardOf(call);

  assert.equal(isOverdue(board, call), true);
  assert.equal(lookOf(board, call), "unwatched");
  assert.deepEqual(standingOf(board, call, NOW), { state: "overdue", seconds: 47, limit: 30, share: 47 / 30, inFocus: false });
});

test("between two news the seconds go on by the broker's clock", () => {
  const call = live("v1", part("fine", 10, 120));

  assert.equal(standingOf(boardOf(call), call, NOW + 5000).seconds, 15);
});

test("the next look is for a call that is held, then for the one nearest to its limit, never for the one in focus", () => {
  const one = live("v1", part("fine", 60, 120));
  const two = live("v2", part("due", 27, 30));
  const three = live("v3", part("fine", 0, 10, { in_focus: true, due_at: null }));

  assert.equal(nextDue(boardOf(one, two, three), NOW), "v2");
  assert.equal(nextDue(boardOf(one, two, live("v4", part("held", 240, 120, { due_at: null }))), NOW), "v4");
  assert.equal(nextDue(boardOf(three), NOW), null);
});

test("a look that is offered to this monitor is the next one, whatever else is due, and is said aloud once", () => {
  const mine = live("v1", part("offered", 50, 30, { by: "M1" }));
  const theirs = live("v2", part("offered", 900, 30, { by: "M2", by_name: "R. Shah" }));
  const held = live("v3", part("held", 240, 120, { due_at: null }));
  const board = { ...boardOf(mine, theirs, held), you: { number: "M1" }, known: true };
  const before = { ...board, attention: { v1: part("overdue", 49, 30) } };

  assert.deepEqual([offerOf(board, mine), offerOf(board, theirs)], [{ mine: true, name: "M" }, { mine: false, name: "R. Shah" }]);
  assert.equal(offerOf(board, held), null);
  assert.equal(nextDue(board, NOW), "v1");
  assert.deepEqual(changesBetween(before, board), [{ key: "console.said.offered", values: { place: 1, number: mine.prisoner_number }, codes: {} }]);
  assert.deepEqual(changesBetween(board, { ...board, attention: { v1: part("offered", 51, 30) } }), []);
});

test("a call without a fresh proof is named as not proven, whatever stands in its place", () => {
  const board = { ...boardOf(live("v1", null), live("v2", null)), proofAge: { v1: 0.4 } };

  assert.deepEqual(notProven(board), [board.places.get("v2") + 1]);
});

test("a letter answers an attention check only while one waits", () => {
  const key = { key: "k", code: "KeyK", shift: false, other: false, repeat: false };
  const page = { panel: "none", letters: true, inField: false, onControl: false, onTile: false };

  assert.equal(actionFor(key, page), null);
  assert.deepEqual(actionFor(key, { ...page, checked: true }), { type: "answer", letter: "K" });
  assert.deepEqual(actionFor({ ...key, key: "p", code: "KeyP" }, { ...page, checked: true }), { type: "pause" });
  assert.deepEqual(actionFor({ ...key, key: "g", code: "KeyG" }, page), { type: "due" });
});
