import assert from "node:assert/strict";
import test from "node:test";

import { amounts, choicesOf, filtered, inOrder, newUrgent, nextRow, openByCall, rowsOf, rowsOfAlerts, sameRows, withAlert } from "../../supervisor_console/lib/alerts.js";
import { EMPTY, applyMessage } from "../../supervisor_console/lib/board.js";
import { bandOf, fromHistory, summaryOf, withNews } from "../../supervisor_console/lib/losses.js";
import { aCall, aHold } from "./support/builders.js";

const told = (id, more = {}) => ({
  type: "alert", id, at: "2026-11-24T14:00:00Z", code: "disconnected", level: "warn", state: "open", clears: "either", establishment: "HDN",
  call_id: null, leg_id: null, post: null, by: null, acked_by: null, acked_at: null, cleared_by: null, cleared_at: null, outcome: null, ...more,
});
const with_ = (calls, alerts) => ({
  ...EMPTY,
  calls: new Map(calls.map((call) => [call.id, call])),
  places: new Map(calls.map((call, at) => [call.id, at])),
  alerts,
});
const ids = (rows) => rows.map((row) => row.id);

test("urgent comes first, then the tier, then the level, then the oldest; what is dealt with comes last", () => {
  const calls = [aCall({ id: "t1", tier: 1, phase: "lobby" }), aCall({ id: "t3", tier: 3, phase: "lobby" })];
  const board = with_(calls, [
    told("done", { state: "cleared", outcome: "dealt", cleared_at: "2026-11-24T14:09:00Z" }),
    told("low of tier 1", { call_id: "t1", level: "low" }),
    told("late of tier 3", { call_id: "t3", at: "2026-11-24T14:05:00Z" }),
    told("early of tier 3", { call_id: "t3" }),
    told("urgent of tier 3", { call_id: "t3", level: "urgent", code: "unwatched" }),
    told("warn of tier 1", { call_id: "t1" }),
  ]);
  const order = ["urgent of tier 3", "warn of tier 1", "low of tier 1", "early of tier 3", "late of tier 3", "done"];
  assert.deepEqual(ids(rowsOf(board)), order);
  const rows = rowsOf(board);
  assert.deepEqual(ids([...rows].reverse().sort(inOrder)), order);
});

test("an alert that changes keeps its place, and of those dealt with only the newest are kept", () => {
  const open = [told("a"), told("b")];
  assert.deepEqual(withAlert(open, told("a", { state: "acknowledged" })).map((one) => [one.id, one.state]), [["a", "acknowledged"], ["b", "open"]]);
  let list = [told("stands")];
  for (let n = 0; n < 500; n += 1) list = withAlert(list, told(`${n}`, { state: "cleared", outcome: "itself" }));
  assert.equal(list.length, 101);
  assert.equal(list[0].id, "stands");
});

test("a hold is one row, and the alert that says the same is not a second one", () => {
  const call = aCall({ id: "v1", holds: [aHold("unmonitored", { post: null })] });
  const rows = rowsOf(with_([call], [told("u", { code: "unmonitored", level: "urgent", call_id: "v1" })]));
  assert.deepEqual(rows.map((row) => row.code), ["hold_unmonitored"]);
});

test("the filter tells whose it is, and by kind", () => {
  const rows = rowsOf(with_([], [told("both"), told("m", { post: "monitor" }), told("t", { post: "supervisor", code: "help" }), told("d", { state: "cleared", outcome: "dealt" })]));
  assert.deepEqual(ids(filtered(rows, "open", null, "monitor")).sort(), ["both", "m", "t"]);
  assert.deepEqual(ids(filtered(rows, "mine", null, "monitor")).sort(), ["both", "m"]);
  assert.deepEqual(ids(filtered(rows, "other", null, "monitor")), ["t"]);
  assert.deepEqual(ids(filtered(rows, "done", null, "monitor")), ["d"]);
  assert.deepEqual(ids(filtered(rows, "open", "help", "monitor")), ["t"]);
  assert.deepEqual(amounts(rows, "monitor"), { open: 3, mine: 2, other: 1, done: 1 });
});

test("the next alert is the first that nobody has taken, round again, and never the other post's", () => {
  const rows = rowsOf(with_([], [told("1"), told("2", { state: "acknowledged" }), told("3"), told("4", { post: "supervisor" })]));
  assert.equal(nextRow(rows, null, "monitor").id, "1");
  assert.equal(nextRow(rows, "1", "monitor").id, "3");
  assert.equal(nextRow(rows, "3", "monitor").id, "1");
  assert.equal(nextRow([], null, "monitor"), undefined);
});

test("each call counts its own open alerts", () => {
  const rows = rowsOf(with_([], [told("1", { call_id: "a" }), told("2", { call_id: "a" }), told("3", { call_id: "b", state: "cleared" })]));
  assert.deepEqual([...openByCall(rows)], [["a", 2]]);
});

test("what only its cause clears has no button that closes it, and the other post's has none at all", () => {
  const row = (more) => rowsOf(with_([], [told("1", more)]))[0];
  for (const code of ["unwatched", "patrol_due", "attend_escalated", "one that is not known here"]) {
    const told = { code, clears: "itself" }; // the broker's word, not a list of ours
    assert.deepEqual(choicesOf(row({ ...told, level: "urgent" }), "monitor"), ["take"]);
    assert.deepEqual(choicesOf(row({ ...told, level: "urgent", state: "acknowledged" }), "monitor"), []);
  }
  assert.deepEqual(choicesOf(row({ code: "faces_more" }), "monitor"), ["no_issue"]);
  assert.deepEqual(choicesOf(row({ code: "link_elsewhere" }), "monitor"), ["take"]);
  assert.deepEqual(choicesOf(row({ post: "supervisor" }), "monitor"), []);
});

test("a page that lists holds elsewhere loses no alert while its call is held", () => {
  const call = aCall({ id: "v1", holds: [aHold("unsupervised", { post: null })] });
  const board = with_([call], [told("u", { code: "unsupervised", level: "urgent", call_id: "v1" })]);
  assert.deepEqual(rowsOf(board).map((row) => row.id), ["v1 hold_unsupervised"]);
  assert.deepEqual(ids(rowsOfAlerts(board)), ["u"]);
});

test("an urgent alert is said once", () => {
  const rows = rowsOf(with_([], [told("u", { level: "urgent" }), told("w")]));
  assert.deepEqual(ids(newUrgent(rows, new Set())), ["u"]);
  assert.deepEqual(newUrgent(rows, new Set(["u"])), []);
});

test("news that changes no row draws no list anew", () => {
  const board = with_([aCall({ id: "a" })], [told("1", { call_id: "a" })]);
  const after = applyMessage(board, { type: "news", now: "2026-11-24T14:00:01Z", legs: [], proof_age_s: {} }, 1000);
  assert.ok(sameRows(rowsOf(board), rowsOf({ ...after, health: board.health })));
  assert.ok(!sameRows(rowsOf(board), rowsOf(with_([], [told("1", { state: "acknowledged" })]))));
});

test("a hundred alerts of sixteen calls are put in order in a moment of a frame", () => {
  const calls = Array.from({ length: 16 }, (_, n) => aCall({ id: `v${n}`, tier: (n % 3) + 1 }));
  const alerts = Array.from({ length: 100 }, (_, n) => told(`a${n}`, { call_id: `v${n % 16}`, level: ["urgent", "warn", "low", "info"][n % 4] }));
  assert.ok(rowsOf(with_(calls, alerts)).length >= 100);
});

test("a link's loss is kept for fifteen minutes, one sample each five seconds, and what was not heard is a gap", () => {
  const start = fromHistory({ type: "loss.history", call_id: "a", every_s: 5, until: "2026-11-24T14:00:00Z", legs: [{ leg_id: "a.1", percent: [0, 20] }] });
  const news = (now, loss, health = "bad") => ({ type: "news", now, legs: [{ leg_id: "a.1", call_id: "a", health, loss }], proof_age_s: {} });
  assert.equal(withNews(start, news("2026-11-24T14:00:04Z", 0.5)), start);
  const next = withNews(start, news("2026-11-24T14:00:05Z", 0.12));
  assert.deepEqual(next.legs.get("a.1"), [0, 20, 12]);
  const late = withNews(next, news("2026-11-24T14:00:20Z", 0.3, "none"));
  assert.deepEqual(late.legs.get("a.1"), [0, 20, 12, null, null, null]);
  const long = withNews(next, news("2026-11-24T16:00:00Z", 0.03));
  assert.equal(long.legs.get("a.1").length, 180);
});

test("the bands end at ten and fifteen per cent", () => {
  assert.deepEqual([0, 9, 10, 14, 15, 90].map(bandOf), ["low", "low", "middle", "middle", "high", "high"]);
  assert.deepEqual(summaryOf([null, 2, 12, 40]), { known: 3, low: 1, middle: 1, high: 1, worst: 40 });
});
