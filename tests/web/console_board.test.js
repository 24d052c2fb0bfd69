import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { EMPTY, applyMessage, closeGaps, forgetEnded, postKey } from "../../supervisor_console/lib/board.js";
import { aCall, aSnapshot } from "./support/builders.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/console_board.json", import.meta.url), "utf8"));

const views = {
  holds: (board) => (board.holds ? postKey(board.holds) : null),
  receive: (board) => board.receive,
  known: (board) => board.known,
  places: (board) => Object.fromEntries([...board.places].sort()),
  seqs: (board) => Object.fromEntries([...board.calls].map(([id, call]) => [id, call.seq])),
  phases: (board) => Object.fromEntries([...board.calls].map(([id, call]) => [id, call.phase])),
  ended: (board) => [...board.endedAt.keys()],
  lost: (board) => [...board.lostAt.keys()],
  lines: (board) => board.lines.map((line) => line.leg_id),
  alerts: (board) => board.alerts.map((alert) => alert.id),
};

for (const { name, messages, expect } of vectors) {
  test(name, () => {
    const board = messages.reduce((held, message, at) => applyMessage(held, message, at * 1000), EMPTY);
    for (const [view, value] of Object.entries(expect)) assert.deepEqual(views[view](board), value, view);
  });
}

test("every message counts as news", () => {
  assert.equal(applyMessage(EMPTY, { type: "news", now: "", legs: [], proof_age_s: {} }, 4200).heardAt, 4200);
});

test("a call that ended lets go of its place after its time, and the others stay where they are", () => {
  const vector = vectors.find((one) => one.name.startsWith("a call that ends keeps its place"));
  const board = vector.messages.reduce((held, message) => applyMessage(held, message, 1000), EMPTY);

  assert.equal(forgetEnded(board, 20_999, 20_000), board);
  assert.deepEqual([...forgetEnded(board, 21_000, 20_000).places], [["b", 1]]);
});

test("gaps close only when asked, and keep the order", () => {
  const board = { ...EMPTY, places: new Map([["a", 4], ["b", 1]]) };

  assert.deepEqual([...closeGaps(board).places], [["b", 0], ["a", 1]]);
});

test("a post is lost since this page first heard of it, however often it is told", () => {
  const post = { establishment: "HDN", hall_id: null, post: "monitor", state: "lost", name: null, since: null, you: false };
  const first = applyMessage(EMPTY, { type: "post", now: "", post }, 1000);
  const again = applyMessage(first, { type: "post", now: "", post }, 5000);

  assert.equal(again.lostAt.get(postKey(post)), 1000);
});

test("a still is kept by its leg until the next one, and a new connection has none", () => {
  const still = (n) => ({ type: "still", call_id: "a", leg_id: "a.1", n, jpeg: `picture ${n}` });
  const board = [still(1), still(2)].reduce((held, message) => applyMessage(held, message, 0), EMPTY);
  assert.deepEqual([...board.stills], [["a.1", { n: 2, jpeg: "picture 2" }]]);
  const again = applyMessage(board, { type: "welcome", you: {}, receive: { audio: 8, video: 40 } }, 0);
  assert.equal(again.stills.size, 0);
});

const told = (board, ...calls) => calls.reduce((held, call) => applyMessage(held, { type: "call", now: "2026-11-24T14:00:00Z", call }, 0), board);

test("a call of tier 1 that starts beyond the first page gets a place there, once and where one is free", () => {
  const many = Array.from({ length: 17 }, (_, n) => aCall({ id: `c${String(n).padStart(2, "0")}` }));
  const late = aCall({ id: "late", phase: "ready", first_page: true });
  const full = told(EMPTY, ...many, late);
  assert.equal(full.places.get("late"), 17);
  const gap = forgetEnded(told(full, aCall({ id: "c03", seq: 2, phase: "ended" })), 60_000, 20_000);
  const started = told(gap, { ...late, seq: 2, phase: "live" });
  assert.equal(started.places.get("late"), 3);
  assert.equal(started.places.get("c16"), 16);
  assert.deepEqual(told(started, { ...late, seq: 3 }).places, started.places);
});

test("a check that rang is over with the post", () => {
  const post = { establishment: "HDN", hall_id: null, post: "monitor", state: "on", name: "R. Shah", since: null, you: true, scope: ["HDN"], pool: false };
  const rings = { type: "attention.check", check_id: "k1", call_id: "a", letter: "C", stage: "tone" };
  const held = [aSnapshot([], { you_hold: post }), rings].reduce((board, message) => applyMessage(board, message, 0), EMPTY);
  assert.equal(applyMessage(held, aSnapshot([], { you_hold: post }), 0).check?.check_id, "k1");
  assert.equal(applyMessage(held, aSnapshot([]), 0).check, null);
});
