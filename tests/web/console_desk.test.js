import assert from "node:assert/strict";
import test from "node:test";

import { computed, signal } from "@preact/signals";

import { EMPTY, applyMessage } from "../../supervisor_console/lib/board.js";
import { Desk } from "../../supervisor_console/monitor/desk.js";
import { aCall, aHold, aLeg, aSnapshot } from "./support/builders.js";

/** A session whose answers the test gives. */
class Session {
  constructor(...calls) {
    this.board = signal(applyMessage(EMPTY, aSnapshot(calls), 0));
    this.onPost = signal(true);
    this.stale = computed(() => false);
    this.now = signal(Date.parse("2026-11-24T14:00:01Z"));
    this.signedOn = [];
    this.sent = [];
    this.answer = () => ({ type: "ok", recorded: true, hold_id: null });
  }

  async act(command) {
    this.sent.push(command);
    return this.answer(command);
  }

  told(call) {
    this.board.value = applyMessage(this.board.value, { type: "call", now: "2026-11-24T14:00:01Z", call }, 1);
  }

  of(type) {
    return this.sent.filter((command) => command.type === type);
  }
}

function deskOf(...calls) {
  const session = new Session(...calls);
  return { session, desk: new Desk(session, {}, {}) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("pause is sent at once, and asks the reason after", async () => {
  const { session, desk } = deskOf(aCall());
  session.answer = () => ({ type: "ok", recorded: true, hold_id: "h7" });

  desk.do({ type: "pause" });

  assert.deepEqual(session.of("call.pause"), [{ type: "call.pause", call_id: "a" }]);
  await settled();
  session.told(aCall({ seq: 2, holds: [aHold("security", { id: "h7" })] }));
  assert.equal(desk.asks(), "reason");
  desk.do({ type: "choose", number: 2 });
  await settled();
  assert.deepEqual(session.of("hold.reason"), [{ type: "hold.reason", call_id: "a", hold_id: "h7", reason: "conduct" }]);
});

test("a pause that is refused leaves no panel that says otherwise", async () => {
  const { session, desk } = deskOf(aCall());
  session.answer = () => ({ type: "refused", code: "not_on_post" });

  desk.do({ type: "pause" });
  await settled();

  assert.equal(desk.panel.value, null);
});

test("a pause not yet on the record says so", async () => {
  const { session, desk } = deskOf(aCall());
  session.answer = () => ({ type: "ok", recorded: false, hold_id: "h7" });

  desk.do({ type: "pause" });
  await settled();

  assert.equal(desk.panel.value.recorded, false);
});

test("clear names the version that was seen, and waits for the reason of one's own pause", async () => {
  const { session, desk } = deskOf(aCall({ seq: 9, holds: [aHold("security", { id: "h1" })] }));

  desk.do({ type: "clear" });
  await settled();
  assert.deepEqual(session.of("hold.clear"), []);

  session.told(aCall({ seq: 10, holds: [aHold("security", { id: "h1", reason: "conduct" })] }));
  desk.do({ type: "clear" });
  await settled();
  assert.deepEqual(session.of("hold.clear"), [{ type: "hold.clear", call_id: "a", hold_id: "h1", version: 10 }]);
});

test("a technical hold is never cleared from this post", async () => {
  const { session, desk } = deskOf(aCall({ holds: [aHold("technical", { post: "supervisor" })] }));

  desk.do({ type: "clear" });
  await settled();

  assert.deepEqual(session.of("hold.clear"), []);
  assert.equal(desk.said.value, "monitor.clear.not_yours");
});

test("an undo that is faster than the pause's answer waits for it", async () => {
  const { session, desk } = deskOf(aCall());
  session.answer = (command) => ({ type: "ok", recorded: true, hold_id: command.type === "call.pause" ? "h7" : null });

  desk.do({ type: "pause" });
  desk.do({ type: "undo" });
  await settled();

  assert.deepEqual(session.of("hold.undo"), [{ type: "hold.undo", call_id: "a", hold_id: "h7" }]);
});

test("undo is offered for five seconds and not after", async () => {
  const { session, desk } = deskOf(aCall({ holds: [aHold("security", { id: "h1" })] }));

  session.now.value = Date.parse("2026-11-24T14:00:06Z");
  desk.do({ type: "undo" });
  await settled();
  assert.deepEqual(session.of("hold.undo"), []);

  session.now.value = Date.parse("2026-11-24T14:00:04Z");
  desk.do({ type: "undo" });
  await settled();
  assert.deepEqual(session.of("hold.undo"), [{ type: "hold.undo", call_id: "a", hold_id: "h1" }]);
});

test("ending takes two steps and a reason", async () => {
  const { session, desk } = deskOf(aCall());

  desk.do({ type: "end" });
  desk.do({ type: "choose", number: 1 });
  await settled();
  assert.deepEqual(session.of("call.end"), []);

  desk.sure();
  desk.do({ type: "choose", number: 1 });
  await settled();
  assert.deepEqual(session.of("call.end"), [{ type: "call.end", call_id: "a", reason: "finished_early" }]);
  assert.equal(desk.panel.value, null);
});

test("a warning is chosen, then confirmed", async () => {
  const { session, desk } = deskOf(aCall());

  desk.do({ type: "warn" });
  desk.do({ type: "confirm" });
  desk.do({ type: "choose", number: 3 });
  assert.deepEqual(session.of("call.warn"), []);
  desk.do({ type: "confirm" });

  assert.deepEqual(session.of("call.warn"), [{ type: "call.warn", call_id: "a", warning: "stay_in_view" }]);
});

test("nobody is admitted before everyone is ticked", async () => {
  const people = ["x", "y"].map((id) => ({ id, name: id, child: false, main_caller: id === "x", verified: false }));
  const family = aLeg("a.2", "family", { verified: false, step: "lobby", people });
  const { session, desk } = deskOf(aCall({ seq: 4, phase: "lobby", legs: [aLeg("a.1", "prisoner"), family] }));

  desk.do({ type: "identity" });
  const all = /** @type {const} */ ({ name: true, photo: true, document: "passport" });
  desk.tick("x", all);
  desk.tick("y", { ...all, document: null });
  desk.do({ type: "confirm" });
  await settled();
  assert.deepEqual(session.of("leg.verify"), []);

  desk.tick("y", { document: "other_photo_id" });
  desk.do({ type: "confirm" });
  await settled();
  const checks = [{ id: "x", ...all }, { id: "y", ...all, document: "other_photo_id" }];
  assert.deepEqual(session.of("leg.verify"), [{ type: "leg.verify", call_id: "a", leg_id: "a.2", people: ["x", "y"], checks, version: 4 }]);
});

test("who is absent is left out and the rest are admitted", async () => {
  const people = ["x", "y"].map((id) => ({ id, name: id, child: id === "y", main_caller: id === "x", verified: false }));
  const family = aLeg("a.2", "family", { verified: false, step: "lobby", people });
  const { session, desk } = deskOf(aCall({ phase: "lobby", legs: [aLeg("a.1", "prisoner"), family] }));

  desk.do({ type: "identity" });
  desk.tick("x", { name: true, photo: true, document: "passport" });
  desk.tick("y", { absent: true });
  desk.do({ type: "confirm" });
  await settled();

  assert.deepEqual(session.of("leg.verify").map((command) => command.people), [["x"]]);
});

test("who was left out and comes late is checked alone", async () => {
  const people = ["x", "y"].map((id) => ({ id, name: id, child: false, main_caller: id === "x", verified: id === "x" }));
  const { session, desk } = deskOf(aCall({ legs: [aLeg("a.1", "prisoner"), aLeg("a.2", "family", { people })] }));

  desk.do({ type: "identity" });
  desk.tick("y", { name: true, photo: true, document: "passport" });
  desk.do({ type: "confirm" });
  await settled();

  const [{ people: admitted, checks }] = session.of("leg.verify");
  assert.deepEqual([admitted, checks.map((/** @type {{ id: string }} */ one) => one.id)], [["x", "y"], ["y"]]);
});

test("refusing a family takes two presses", async () => {
  const family = aLeg("a.2", "family", { verified: false, step: "lobby" });
  const { session, desk } = deskOf(aCall({ phase: "lobby", legs: [family] }));

  desk.openIdentity();
  await desk.refuseLeg("no_id");
  desk.choose(2);
  assert.deepEqual(session.of("leg.refuse"), []);
  assert.ok(desk.panel.value?.type === "identity");
  desk.panel.value = { ...desk.panel.value, refusing: true };
  assert.equal(desk.asks(), "choose");
  desk.do({ type: "confirm" });
  await settled();
  assert.deepEqual(session.of("leg.verify"), [], "Enter admits nobody while a reason is asked for");
  desk.choose(2);
  await settled();

  assert.deepEqual(session.of("leg.refuse"), [{ type: "leg.refuse", call_id: "a", leg_id: "a.2", reason: "photo_differs" }]);
});

test("one call is heard at a time, and none on the wall", async () => {
  const { session, desk } = deskOf(aCall(), aCall({ id: "b", seat: 2 }));

  desk.do({ type: "tile", number: 2 });
  desk.do({ type: "tile", number: 1 });
  desk.do({ type: "back" });

  assert.deepEqual(session.of("wall.focus").map((command) => command.call_id), ["b", "a", null]);
});

test("a new socket is told again which call is heard", async () => {
  const { session, desk } = deskOf(aCall());
  desk.do({ type: "focus" });

  for (const run of session.signedOn) run();

  assert.deepEqual(session.of("wall.focus").map((command) => command.call_id), ["a", "a"]);
});

test("a call that ends closes its panel, and a call that goes leads back to the wall", () => {
  const { session, desk } = deskOf(aCall(), aCall({ id: "b", seat: 2 }));
  desk.focus("a");
  desk.openWarn("a");

  session.told(aCall({ seq: 2, phase: "ended" }));
  assert.equal(desk.panel.value, null);

  session.board.value = applyMessage(session.board.value, aSnapshot([aCall({ id: "b", seat: 2 })]), 2);
  assert.equal(desk.view.value, "wall");
  assert.equal(desk.at.value, "b");
});

test("a panel of one call never acts on another", () => {
  const { desk } = deskOf(aCall(), aCall({ id: "b", seat: 2 }));
  desk.openWarn("a");

  desk.do({ type: "move", way: "right" });

  assert.equal(desk.at.value, "b");
  assert.equal(desk.panel.value, null);
});
