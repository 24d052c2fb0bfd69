// @ts-check
/** What a screen reader is told when the board changes: events only, never what ticks. Pure. */

import { offerOf } from "./attention.js";
import { holdsOf } from "./calls.js";

/** @typedef {import("./board.js").Board} Board */
/** @typedef {{ key: string, values: Record<string, string | number>, codes: Record<string, string> }} Saying
 *   `codes` are catalogue keys, to be worded and put among the values. */

/**
 * @param {Board} before
 * @param {Board} after
 * @returns {Saying[]}
 */
export function changesBetween(before, after) {
  if (!before.known) return [];
  const sayings = offersBetween(before, after);
  if (before.calls === after.calls) return sayings;
  for (const call of after.calls.values()) {
    const was = before.calls.get(call.id);
    if (was === call || !was) continue;
    const values = valuesOf(after, call);
    const [worst] = holdsOf(call);
    const [worstBefore] = holdsOf(was);
    if (call.phase !== was.phase) sayings.push({ key: "console.said.phase", values, codes: { what: `phase.${call.phase}` } });
    else if (worst && worst.id !== worstBefore?.id) sayings.push({ key: "console.said.held", values, codes: { what: `console.hold.${worst.kind}` } });
    else if (!worst && worstBefore) sayings.push({ key: "console.said.resumed", values, codes: {} });
    if (call.help_asked && !was.help_asked) sayings.push({ key: "console.said.help", values, codes: {} });
  }
  return sayings;
}

/**
 * Looks that are offered to this monitor now, and were not before.
 * @param {Board} before
 * @param {Board} after
 * @returns {Saying[]}
 */
function offersBetween(before, after) {
  if (before.attention === after.attention && before.calls === after.calls) return [];
  return [...after.calls.values()]
    .filter((call) => offerOf(after, call)?.mine && !offerOf(before, before.calls.get(call.id) ?? call)?.mine)
    .map((call) => ({ key: "console.said.offered", values: valuesOf(after, call), codes: {} }));
}

/**
 * @param {Board} board
 * @param {import("../../web/lib/protocol.js").CallPart} call
 */
function valuesOf(board, call) {
  return { place: (board.places.get(call.id) ?? 0) + 1, number: call.prisoner_number };
}
