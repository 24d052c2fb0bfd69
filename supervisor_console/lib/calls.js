// @ts-check
/** What a call means to a post: its holds, its people, its time. Pure. */

import { isOverdue } from "./attention.js";

/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").HoldPart} HoldPart */
/** @typedef {import("../../web/lib/protocol.js").LegPart} LegPart */
/** @typedef {import("../../web/lib/protocol.js").Post} Post */
/** @typedef {import("./board.js").Board} Board */

/** Most severe first: what a tile shows when several holds stand. */
export const SEVERITY = /** @type {const} */ ([
  "security",
  "incident",
  "stood_down",
  "recovered",
  "unmonitored",
  "unsupervised",
  "unwatched",
  "technical",
  "interrupted",
]);

/** Which look of the state catalogue a hold has (design screens, NOTES-console 5). */
const LOOKS = /** @type {Record<string, Look>} */ ({
  security: "security",
  incident: "security",
  stood_down: "security",
  recovered: "unwatched",
  unmonitored: "unwatched",
  unsupervised: "unwatched",
  unwatched: "unwatched",
  technical: "technical",
  interrupted: "link",
});

/** @typedef {"security" | "technical" | "unwatched" | "link" | "ended" | "calm"} Look */

/** For how long after its end the broker takes notes of a call, less what a clock may be off. */
const NOTED_MS = 10 * 60_000 - 5_000;

/**
 * @param {Board} board
 * @param {number} now Milliseconds since 1970, by the broker's clock.
 * @returns {CallPart[]} Calls that are over and of which notes may still be written.
 */
export function endedLately(board, now) {
  return [...board.calls.values()].filter((call) => call.phase === "ended" && now - (board.toldAt.get(call.id) ?? now) < NOTED_MS);
}

const PROOF_OLD_S = 5; // older proof is a loss (design README 5); the server decides, the tile only says so sooner

/**
 * @param {CallPart} call
 * @returns {HoldPart[]} Most severe first.
 */
export function holdsOf(call) {
  return [...call.holds].sort((one, other) => SEVERITY.indexOf(one.kind) - SEVERITY.indexOf(other.kind));
}

/**
 * The look of a call's tile: its severest hold, an alarm, a weak link, or calm.
 * @param {Board} board
 * @param {CallPart} call
 * @returns {Look}
 */
export function lookOf(board, call) {
  if (call.phase === "ended") return "ended";
  const [worst] = holdsOf(call);
  if (worst) return LOOKS[worst.kind] ?? "technical";
  if (isUnwatched(board, call) || isOverdue(board, call)) return "unwatched";
  if (call.alarm) return "unwatched";
  return weakLegs(board, call).length ? "link" : "calm";
}

/**
 * @param {Board} board
 * @param {CallPart} call
 * @returns {boolean} Whether the broker's proof that this call is displayed is older than it may be.
 */
export function isUnwatched(board, call) {
  if (call.phase === "ended") return false;
  return call.alarm === "unmonitored" || (board.proofAge[call.id] ?? 0) > PROOF_OLD_S;
}

/**
 * @param {Board} board
 * @param {CallPart} call
 * @returns {LegPart[]} Legs whose link does badly, while media should flow.
 */
export function weakLegs(board, call) {
  if (call.phase !== "live") return [];
  return call.legs.filter((leg) => {
    const known = board.health.get(leg.id);
    return !leg.connected || isSoundOnly(known) || ["poor", "bad"].includes(known?.health ?? "");
  });
}

/**
 * @param {import("../../web/lib/protocol.js").LegHealth | undefined} known
 * @returns {boolean} Whether a leg's own link is too weak for any picture of the far end: there it is sound only.
 */
export function isSoundOnly(known) {
  return known?.picture === "none";
}

/**
 * How a leg's link does, in one word.
 * @param {import("../../web/lib/protocol.js").LegHealth | undefined} known
 * @param {LegPart} leg
 * @returns {string} A key of the catalogue.
 */
export function linkWord(known, leg) {
  if (!known || !leg.connected) return `step.${leg.step}`;
  return isSoundOnly(known) ? "health.sound_only" : `health.${known.health}`;
}

/**
 * @param {CallPart} call
 * @returns {LegPart[]} The prisoner's leg first: seat left, family right, always.
 */
export function legsOf(call) {
  return [...call.legs].sort((one, other) => Number(other.role === "prisoner") - Number(one.role === "prisoner"));
}

/**
 * @param {CallPart} call
 * @returns {LegPart[]} The legs whose people the monitoring post verifies.
 */
export function outsideLegs(call) {
  return call.legs.filter((leg) => leg.role !== "prisoner");
}

/**
 * @param {CallPart} call
 * @returns {LegPart | undefined}
 */
export function prisonerLeg(call) {
  return call.legs.find((leg) => leg.role === "prisoner");
}

/**
 * @param {CallPart} call
 * @returns {string[]} The names of those outside, in order.
 */
export function contactNames(call) {
  return outsideLegs(call).flatMap((leg) => leg.people.map((person) => person.name));
}

/**
 * Whether a post may clear a hold (design README 3): security by monitoring only, technical by the technical post only,
 * the system's own clear by themselves.
 * @param {HoldPart} hold
 * @param {Post} post
 * @returns {boolean}
 */
export function mayClear(hold, post) {
  if (hold.kind === "security" || hold.kind === "recovered") return post === "monitor";
  if (hold.kind === "technical") return post === "supervisor";
  if (hold.kind === "incident" || hold.kind === "stood_down") return hold.post === post;
  return false;
}

/**
 * Who clears a hold, for the post that may not: a word of the catalogue.
 * @param {HoldPart} hold
 * @returns {"monitor" | "supervisor" | "itself"}
 */
export function clearedBy(hold) {
  if (mayClear(hold, "monitor")) return "monitor";
  return mayClear(hold, "supervisor") ? "supervisor" : "itself";
}

/**
 * @param {string | null} until
 * @param {number} now Milliseconds since 1970, by the broker's clock.
 * @returns {number} Whole seconds that are left; 0 when it is over.
 */
export function secondsLeft(until, now) {
  if (!until) return 0;
  return Math.max(0, Math.ceil((Date.parse(until) - now) / 1000));
}

/**
 * How long a call has still to go. While minutes are credited its end moves with the clock, so that nothing is lost.
 * @param {Board} board
 * @param {CallPart} call
 * @param {number} now Milliseconds since 1970, by the broker's clock.
 * @returns {number} Seconds.
 */
export function timeLeft(board, call, now) {
  const at = call.clock_runs ? now : Math.min(now, board.toldAt.get(call.id) ?? now);
  return (Date.parse(call.ends_at) - at) / 1000;
}

/**
 * @param {string | null} since
 * @param {number} now
 * @returns {number | null} Whole seconds that went by; nothing where it never was.
 */
export function secondsSince(since, now) {
  if (!since) return null;
  return Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
}

/**
 * The next leg of the lobby whose people are not verified yet, the earliest call first.
 * @param {Board} board
 * @returns {{ call: CallPart, leg: LegPart } | null}
 */
export function nextToCheck(board) {
  const waiting = [...board.calls.values()]
    .filter((call) => call.phase === "lobby")
    .sort((one, other) => one.starts_at.localeCompare(other.starts_at) || one.seat - other.seat);
  for (const call of waiting) {
    const leg = legToCheck(call);
    if (leg && isPresent(leg)) return { call, leg };
  }
  return null;
}

/**
 * @param {CallPart} call
 * @returns {LegPart | undefined} The leg whose people the monitoring post has still to verify.
 */
export function legToCheck(call) {
  return outsideLegs(call).find((leg) => !leg.verified);
}

/**
 * @param {CallPart} call
 * @returns {LegPart | undefined} A leg that was admitted without somebody, who may have come since.
 */
export function legWithAbsent(call) {
  return outsideLegs(call).find((leg) => leg.verified && leg.people.some((person) => !person.verified));
}

/**
 * @param {LegPart} leg
 * @returns {boolean} Whether the people of the leg can be looked at: they consented and are in the lobby or further.
 */
export function isPresent(leg) {
  return leg.consented && ["lobby", "connecting", "connected"].includes(leg.step);
}
