// @ts-check
/** How calls stand to their limits: who was looked at when, what is due next, and what is not proven. Pure. */

import { isOnWall } from "./board.js";

/** @typedef {import("./board.js").Board} Board */
/** @typedef {import("../../web/lib/protocol.js").AttentionPart} AttentionPart */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */

const PROOF_OLD_S = 5; // as policy `proof_stale_s`: here only for what the page says of itself
const LATE = new Set(["overdue", "offered"]);

/**
 * @typedef {object} Standing
 * @property {AttentionPart["state"]} state
 * @property {number} seconds For how long it has flowed without a look; whole.
 * @property {number} limit
 * @property {number} share Of the limit, from 0; above 1 it is overdue.
 * @property {boolean} inFocus
 */

/**
 * @param {Board} board
 * @param {CallPart} call
 * @returns {AttentionPart | null} The newest that the broker said of it.
 */
export function attentionOf(board, call) {
  return board.attention[call.id] ?? call.attention;
}

/**
 * @param {Board} board
 * @param {CallPart} call
 * @returns {boolean} Whether it has flowed for longer than its tier allows without a look.
 */
export function isOverdue(board, call) {
  return call.phase === "live" && LATE.has(attentionOf(board, call)?.state ?? "");
}

/**
 * @param {Board} board
 * @param {CallPart} call
 * @param {number} now Milliseconds since 1970, by the broker's clock.
 * @returns {Standing | null} Nothing where no look is asked.
 */
export function standingOf(board, call, now) {
  const part = attentionOf(board, call);
  if (!part || call.phase !== "live") return null;
  const counted = part.due_at === null ? part.unwatched_s : part.limit_s - (Date.parse(part.due_at) - now) / 1000;
  const seconds = part.in_focus ? 0 : Math.max(0, counted);
  return { state: part.state, seconds: Math.floor(seconds), limit: Math.round(part.limit_s), share: seconds / part.limit_s, inFocus: part.in_focus };
}

/**
 * Whom a look that is overdue was offered to: a monitor who has the call on the wall too, and room for it.
 * @param {Board} board
 * @param {CallPart} call
 * @returns {{ mine: boolean, name: string } | null}
 */
export function offerOf(board, call) {
  const part = call.phase === "live" ? attentionOf(board, call) : null;
  if (part?.state !== "offered") return null;
  return { mine: board.you !== null && part.by === board.you.number, name: part.by_name ?? "" };
}

/**
 * The call whose look is due next: what is offered to this monitor, held ones, then by share of the limit.
 * @param {Board} board
 * @param {number} now
 * @returns {string | null}
 */
export function nextDue(board, now) {
  let best = /** @type {{ id: string, share: number } | null} */ (null);
  for (const call of board.calls.values()) {
    const standing = standingOf(board, call, now);
    if (!standing || standing.inFocus) continue;
    if (offerOf(board, call)?.mine) return call.id;
    const share = standing.state === "held" ? Infinity : standing.share;
    if (!best || share > best.share) best = { id: call.id, share };
  }
  return best?.id ?? null;
}

/**
 * @param {Board} board
 * @returns {number[]} The places, from 1, of the calls on the wall that are not proven to be displayed now.
 */
export function notProven(board) {
  const places = [];
  for (const [id, place] of board.places) {
    const call = board.calls.get(id);
    if (!call || !isOnWall(call) || call.privileged) continue;
    if ((board.proofAge[id] ?? Infinity) > PROOF_OLD_S) places.push(place + 1);
  }
  return places.sort((one, other) => one - other);
}
