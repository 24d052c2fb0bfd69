// @ts-check
/** The alert list: what asks for an act, in the order in which to act, by what the broker says and what holds stand. Pure. */

import { holdsOf, isUnwatched, weakLegs } from "./calls.js";

/** @typedef {import("../../web/lib/protocol.js").Alert} Alert */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").Post} Post */
/** @typedef {import("./board.js").Board} Board */
/** @typedef {"open" | "mine" | "other" | "done"} Filter */

/** @typedef {{ place: number | null, number: string, end: "seat" | "family" | null, seat: number }} Where Its tile, from 0; whose call; which end. */

/**
 * @typedef {object} Row One line of the list.
 * @property {string} id
 * @property {Alert["level"]} level
 * @property {string} code
 * @property {string} key Of the catalogue: what it says.
 * @property {Readonly<Record<string, string>>} codes Catalogue keys to be worded among its values.
 * @property {string} by
 * @property {string | null} callId
 * @property {string | null} legId
 * @property {number} tier Of its call; 3 where it has none.
 * @property {Where | null} where Null: of no call that is at hand.
 * @property {string | null} at
 * @property {Post | null} post Whose task; null: both posts'.
 * @property {Alert | null} alert The broker's own; null: it follows from the state and clears with it.
 * @property {boolean} done
 */

const LEVELS = /** @type {const} */ (["urgent", "warn", "low", "info"]);
const STANDARD_TIER = 3;
/** Alerts that a hold of the system says again: the row of the hold says more. */
const SAID_BY_HOLD = /** @type {Record<string, string>} */ ({ unmonitored: "unmonitored", unsupervised: "unsupervised", unwatched_held: "unwatched" });

/** Most are kept that stand, and of those that are dealt with the newest. */
export const MOST_DONE = 100;

/**
 * The list after an alert was told: at its old place where it is known, else at the end.
 * @param {readonly Alert[]} alerts
 * @param {Alert} told
 * @returns {readonly Alert[]}
 */
export function withAlert(alerts, told) {
  const at = alerts.findIndex((held) => held.id === told.id);
  if (at >= 0) return alerts.map((held, index) => (index === at ? told : held));
  const done = alerts.filter((held) => held.state === "cleared");
  const gone = new Set(done.slice(0, Math.max(0, done.length - MOST_DONE + 1)).map((held) => held.id));
  return [...alerts.filter((held) => !gone.has(held.id)), told];
}

/**
 * Every row, in the order in which to act: what is not dealt with first; then by tier, by level, the oldest first. What is
 * dealt with comes last, the newest first.
 * @param {Board} board
 * @returns {Row[]}
 */
export function rowsOf(board) {
  return [...rowsOfAlerts(board), ...rowsOfState(board)].filter((row) => !saidAgain(board, row)).sort(inOrder);
}

/**
 * What the broker told alone, in order: for a page that lists holds elsewhere.
 * @param {Board} board
 * @returns {Row[]}
 */
export function rowsOfAlerts(board) {
  return board.alerts.map((alert) => rowOf(board, alert)).sort(inOrder);
}

/**
 * @param {Board} board
 * @param {Alert} alert
 * @returns {Row}
 */
function rowOf(board, alert) {
  const call = alert.call_id === null ? undefined : board.calls.get(alert.call_id);
  return {
    id: alert.id,
    level: alert.level,
    code: alert.code,
    key: `alert.${alert.code}`,
    codes: {},
    by: alert.by ?? "",
    callId: alert.call_id,
    legId: alert.leg_id,
    tier: call?.tier ?? STANDARD_TIER,
    where: call ? whereOf(board, call, alert.leg_id) : null,
    at: alert.at,
    post: alert.post,
    alert,
    done: alert.state === "cleared",
  };
}

/**
 * @param {Board} board
 * @param {CallPart} call
 * @param {string | null} legId
 * @returns {Where}
 */
function whereOf(board, call, legId) {
  const leg = call.legs.find((one) => one.id === legId);
  const end = leg ? (leg.role === "prisoner" ? "seat" : "family") : null;
  return { place: board.places.get(call.id) ?? null, number: call.prisoner_number, end, seat: call.seat };
}

/**
 * What follows from the state alone, and clears with it: holds, weak links, and a proof that is old before the broker says so.
 * @param {Board} board
 * @returns {Row[]}
 */
function rowsOfState(board) {
  /** @type {Row[]} */
  const rows = [];
  for (const call of board.calls.values()) {
    if (call.phase === "ended" || !board.places.has(call.id)) continue;
    /** @param {string} code @param {Row["level"]} level @param {string} key @param {Partial<Row>} [more] */
    const add = (code, level, key, more) =>
      rows.push({ id: `${call.id} ${code}`, level, code, key, codes: {}, by: "", callId: call.id, legId: null, tier: call.tier, where: whereOf(board, call, null), at: null, post: null, alert: null, done: false, ...more });
    const [worst] = holdsOf(call);
    if (worst) add(`hold_${worst.kind}`, "warn", "monitor.alert.held", { codes: { hold: `console.hold.${worst.kind}` }, at: worst.placed_at, post: worst.post });
    else if (isUnwatched(board, call) && call.alarm !== "unmonitored") add("not_shown", "urgent", "monitor.alert.unwatched", { post: "monitor" });
    else if (weakLegs(board, call).some((leg) => leg.connected)) add("weak", "info", "monitor.alert.weak");
  }
  return rows;
}

/**
 * @param {Board} board
 * @param {Row} row
 * @returns {boolean} Whether the row of a hold says it already.
 */
function saidAgain(board, row) {
  const kind = SAID_BY_HOLD[row.code];
  if (kind === undefined || row.done || row.callId === null) return false;
  const call = board.calls.get(row.callId);
  return call !== undefined && holdsOf(call)[0]?.kind === kind;
}

/**
 * @param {Row} one
 * @param {Row} other
 * @returns {number}
 */
export function inOrder(one, other) {
  if (one.done !== other.done) return one.done ? 1 : -1;
  if (one.done) return (other.alert?.cleared_at ?? "").localeCompare(one.alert?.cleared_at ?? "") || one.id.localeCompare(other.id);
  return (
    Number(one.level !== "urgent") - Number(other.level !== "urgent") ||
    one.tier - other.tier ||
    LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level) ||
    (one.at ?? "").localeCompare(other.at ?? "") ||
    one.id.localeCompare(other.id)
  );
}

/**
 * @param {readonly Row[]} rows
 * @param {Filter} filter
 * @param {string | null} code None: every code.
 * @param {Post} post Who reads the list.
 * @returns {Row[]}
 */
export function filtered(rows, filter, code, post) {
  return rows.filter((row) => (code === null || row.code === code) && belongs(row, filter, post));
}

/**
 * @param {Row} row
 * @param {Filter} filter
 * @param {Post} post
 */
function belongs(row, filter, post) {
  if (filter === "done") return row.done;
  if (row.done) return false;
  if (filter === "mine") return isFor(row, post);
  return filter === "open" || (row.post !== null && row.post !== post);
}

/**
 * @param {Row} row
 * @param {Post} post
 * @returns {boolean} Whether that post may take it.
 */
export function isFor(row, post) {
  return row.post === null || row.post === post;
}

/**
 * @param {readonly Row[]} rows
 * @param {Post} post
 */
export function amounts(rows, post) {
  const open = rows.filter((row) => !row.done);
  const mine = open.filter((row) => isFor(row, post)).length;
  return { open: open.length, mine, other: open.length - mine, done: rows.length - open.length };
}

/**
 * How many alerts are open for each call: what its tile says.
 * @param {readonly Row[]} rows
 * @returns {ReadonlyMap<string, number>}
 */
export function openByCall(rows) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const row of rows) if (!row.done && row.callId !== null) counts.set(row.callId, (counts.get(row.callId) ?? 0) + 1);
  return counts;
}

/**
 * The row after `current` that this post may act on, first what nobody has taken; round again at the end.
 * @param {readonly Row[]} rows In order.
 * @param {string | null} current
 * @param {Post} post
 * @returns {Row | undefined}
 */
export function nextRow(rows, current, post) {
  const open = rows.filter((row) => !row.done && isFor(row, post));
  const untaken = open.filter((row) => row.alert?.state !== "acknowledged");
  const list = untaken.length ? untaken : open;
  return list[(list.findIndex((row) => row.id === current) + 1) % (list.length || 1)];
}

/**
 * Urgent rows that were not there before: a screen reader is told of each once.
 * @param {readonly Row[]} rows
 * @param {ReadonlySet<string>} told Ids.
 * @returns {Row[]}
 */
export function newUrgent(rows, told) {
  return rows.filter((row) => row.level === "urgent" && !row.done && !told.has(row.id));
}

/**
 * @param {readonly Row[]} before
 * @param {readonly Row[]} after
 * @returns {boolean} Whether both lists say the same, so that nothing needs to be drawn anew.
 */
export function sameRows(before, after) {
  return before.length === after.length && before.every((row, at) => sameRow(row, /** @type {Row} */ (after[at])));
}

/**
 * @param {Row} one
 * @param {Row} other
 */
function sameRow(one, other) {
  const alike = one.id === other.id && one.alert === other.alert && one.tier === other.tier && one.at === other.at && one.key === other.key;
  return alike && one.where?.place === other.where?.place && one.where?.number === other.where?.number;
}

/** What a detector of a console saw: it may be a false alarm, and is only ever advice. */
const ADVICE = new Set(["covered", "frozen", "silence", "faces_more", "faces_none", "faces_fewer"]);

/**
 * What a post may do with a row: the closed list of its buttons.
 * @param {Row} row
 * @param {Post} post
 * @returns {("take" | "done" | "no_issue")[]}
 */
export function choicesOf(row, post) {
  if (!row.alert || row.done || !isFor(row, post)) return [];
  const open = row.alert.state === "open";
  if (row.alert.clears === "itself") return open ? ["take"] : [];
  if (ADVICE.has(row.code)) return open ? ["no_issue"] : ["done", "no_issue"];
  return open && row.level !== "info" && row.level !== "low" ? ["take"] : ["done"];
}

/** @type {Record<string, string>} */
const SHAPES = {
  unmonitored: "unwatched",
  unsupervised: "unwatched",
  unwatched: "unwatched",
  not_shown: "unwatched",
  disconnected: "link",
  media_blocked: "cross",
  self_test_failed: "cross",
  no_show: "clock",
  unwatched_offered: "unwatched",
  unwatched_held: "unwatched",
  check_missed: "unwatched",
  unattended: "unwatched",
  authorisation_expired: "lock",
  reflagged: "eye",
  patrol_due: "clock",
  patrol_overdue: "clock",
  attend_escalated: "hand",
  unrecorded: "lock",
  warning_unseen: "eye",
  covered: "eye",
  frozen: "link",
  ending_five: "clock",
  ending_one: "clock",
  help: "hand",
  hand: "hand",
  weak: "weak",
  denied_attempt: "lock",
  link_elsewhere: "lock",
  watch_list: "eye",
  attend: "hand",
  silence: "sound",
  faces_more: "person",
  faces_none: "person",
  faces_fewer: "person",
  hold_security: "octagon",
  hold_incident: "octagon",
  hold_stood_down: "octagon",
  hold_technical: "hexagon",
  hold_interrupted: "link",
  hold_unmonitored: "unwatched",
  hold_unsupervised: "unwatched",
  hold_unwatched: "unwatched",
  hold_recovered: "unwatched",
};

/**
 * @param {Row} row
 * @returns {{ shape: string, look: string }} Its shape, and the look that the state catalogue gives it.
 */
export function looksOf(row) {
  const shape = SHAPES[row.code] ?? "dot";
  if (row.done) return { shape: "tick", look: "done" };
  if (row.level === "urgent" || shape === "unwatched") return { shape, look: "unwatched" };
  if (shape === "octagon") return { shape, look: "security" };
  if (shape === "hexagon") return { shape, look: "technical" };
  if (shape === "link" || shape === "weak") return { shape, look: "link" };
  return { shape, look: row.level };
}
