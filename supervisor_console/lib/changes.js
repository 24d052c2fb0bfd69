// @ts-check
/** What a screen reader is told when the board changes: events only, never what ticks. Pure. */

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
  if (before.calls === after.calls || !before.known) return [];
  /** @type {Saying[]} */
  const sayings = [];
  for (const call of after.calls.values()) {
    const was = before.calls.get(call.id);
    if (was === call || !was) continue;
    const values = { place: (after.places.get(call.id) ?? 0) + 1, number: call.prisoner_number };
    const [worst] = holdsOf(call);
    const [worstBefore] = holdsOf(was);
    if (call.phase !== was.phase) sayings.push({ key: "console.said.phase", values, codes: { what: `phase.${call.phase}` } });
    else if (worst && worst.id !== worstBefore?.id) sayings.push({ key: "console.said.held", values, codes: { what: `console.hold.${worst.kind}` } });
    else if (!worst && worstBefore) sayings.push({ key: "console.said.resumed", values, codes: {} });
    if (call.help_asked && !was.help_asked) sayings.push({ key: "console.said.help", values, codes: {} });
  }
  return sayings;
}
