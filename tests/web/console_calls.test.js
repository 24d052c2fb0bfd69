import assert from "node:assert/strict";
import test from "node:test";

import { EMPTY } from "../../supervisor_console/lib/board.js";
import {
  clearedBy,
  endedLately,
  holdsOf,
  isUnwatched,
  legsOf,
  linkWord,
  lookOf,
  mayClear,
  nextToCheck,
  secondsLeft,
  timeLeft,
  weakLegs,
} from "../../supervisor_console/lib/calls.js";
import { changesBetween } from "../../supervisor_console/lib/changes.js";
import { aCall, aHold, aLeg, boardOf } from "./support/builders.js";

test("the severest hold is shown, whatever came first", () => {
  const call = aCall({ holds: [aHold("interrupted"), aHold("technical"), aHold("security"), aHold("unmonitored")] });

  assert.deepEqual(holdsOf(call).map((hold) => hold.kind), ["security", "unmonitored", "technical", "interrupted"]);
});

for (const [kind, look] of [
  ["security", "security"],
  ["technical", "technical"],
  ["unmonitored", "unwatched"],
  ["unsupervised", "unwatched"],
  ["interrupted", "link"],
]) {
  test(`a hold that is ${kind} looks ${look}, so that a fault never looks like a sanction`, () => {
    const call = aCall({ holds: [aHold(kind)] });

    assert.equal(lookOf(boardOf(call), call), look);
  });
}

for (const [kind, post, of, may] of [
  ["security", "supervisor", "monitor", true],
  ["security", "supervisor", "supervisor", false],
  ["technical", "supervisor", "supervisor", true],
  ["technical", "monitor", "monitor", false],
  ["recovered", "monitor", "monitor", true],
  ["incident", "monitor", "monitor", true],
  ["incident", "monitor", "supervisor", false],
  ["unmonitored", null, "monitor", false],
  ["interrupted", null, "supervisor", false],
]) {
  test(`a ${kind} hold of ${post ?? "the system"} ${may ? "may" : "may not"} be cleared by the ${of}`, () => {
    assert.equal(mayClear(aHold(kind, { post }), of), may);
  });
}

test("a hold that nobody clears says that it clears by itself", () => {
  assert.equal(clearedBy(aHold("unmonitored", { post: null })), "itself");
});

test("a call is unwatched as soon as its proof is older than five seconds", () => {
  const call = aCall();

  assert.equal(isUnwatched({ ...EMPTY, proofAge: { [call.id]: 5 } }, call), false);
  assert.equal(isUnwatched({ ...EMPTY, proofAge: { [call.id]: 5.1 } }, call), true);
});

test("a leg is weak by the broker's word, and a lost one of a live call too", () => {
  const call = aCall({ legs: [aLeg("a.1", "prisoner"), aLeg("a.2", "family", { connected: false })] });
  const board = { ...EMPTY, health: new Map([["a.1", { leg_id: "a.1", call_id: "a", health: "poor", level: 0 }]]) };

  assert.deepEqual(weakLegs(board, call).map((leg) => leg.id), ["a.1", "a.2"]);
  assert.deepEqual(weakLegs(board, { ...call, phase: "lobby" }), []);
});

test("the prisoner stands left, whatever the order of the legs", () => {
  const call = aCall({ legs: [aLeg("a.2", "family"), aLeg("a.3", "interpreter"), aLeg("a.1", "prisoner")] });

  assert.deepEqual(legsOf(call).map((leg) => leg.id), ["a.1", "a.2", "a.3"]);
});

test("the next check is of the earliest call whose family is there", () => {
  const late = aCall({ id: "b", phase: "lobby", starts_at: "2026-11-24T15:00:00Z", legs: [aLeg("b.2", "family", { verified: false, step: "lobby" })] });
  const absent = aCall({ id: "a", phase: "lobby", legs: [aLeg("a.2", "family", { verified: false, step: "link_opened" })] });
  const early = aCall({ id: "c", phase: "lobby", legs: [aLeg("c.2", "family", { verified: false, step: "connected" })] });

  assert.equal(nextToCheck(boardOf(late, absent, early)).call.id, "c");
  assert.equal(nextToCheck(boardOf(absent)), null);
});

test("seconds that are left are never negative", () => {
  assert.equal(secondsLeft("2026-11-24T14:00:05Z", Date.parse("2026-11-24T14:00:01.200Z")), 4);
  assert.equal(secondsLeft("2026-11-24T14:00:05Z", Date.parse("2026-11-24T14:01:00Z")), 0);
  assert.equal(secondsLeft(null, 0), 0);
});

test("time left stands still while minutes are credited", () => {
  const told = Date.parse("2026-11-24T14:00:00Z");
  const call = aCall({ ends_at: "2026-11-24T14:10:00Z", clock_runs: false });
  const board = { ...EMPTY, toldAt: new Map([[call.id, told]]) };

  assert.equal(timeLeft(board, call, told + 60_000), 600);
  assert.equal(timeLeft(board, { ...call, clock_runs: true }, told + 60_000), 540);
});

test("what a screen reader hears is what changed, once, and never what ticks", () => {
  const before = boardOf(aCall());
  const held = boardOf(aCall({ seq: 2, holds: [aHold("security")] }));
  const free = boardOf(aCall({ seq: 3 }));
  const older = boardOf(aCall({ seq: 4, looked_at: "2026-11-24T14:00:00Z" }));

  assert.deepEqual(changesBetween(before, held).map((saying) => [saying.key, saying.codes.what]), [["console.said.held", "console.hold.security"]]);
  assert.deepEqual(changesBetween(held, free).map((saying) => saying.key), ["console.said.resumed"]);
  assert.deepEqual(changesBetween(free, older), []);
});

test("a leg whose link carries the sound alone is called so, and counts as weak", () => {
  const [one, other] = [aLeg("v1.1"), aLeg("v1.2")];
  const call = aCall({ phase: "live", legs: [one, other] });
  const health = (/** @type {string} */ leg, /** @type {string | null} */ picture) => ({ leg_id: leg, call_id: call.id, health: "good", picture });
  const board = { ...boardOf(call), health: new Map([["v1.1", health("v1.1", "reduced")], ["v1.2", health("v1.2", "none")]]) };

  assert.equal(linkWord(board.health.get("v1.1"), one), "health.good");
  assert.equal(linkWord(board.health.get("v1.2"), other), "health.sound_only");
  assert.equal(linkWord(undefined, other), `step.${other.step}`);
  assert.deepEqual(weakLegs(board, call).map((leg) => leg.id), ["v1.2"]);
});

test("a call that is over stays in the list for as long as the broker takes notes of it", () => {
  const over = aCall({ id: "v1", phase: "ended" });
  const board = { ...boardOf(over), toldAt: new Map([["v1", 1_000_000]]) };

  assert.deepEqual(endedLately(board, 1_000_000 + 9 * 60_000), [over]);
  assert.deepEqual(endedLately(board, 1_000_000 + 10 * 60_000), []);
  assert.deepEqual(endedLately(boardOf(aCall({ id: "v2" })), 0), []);
});
