// @ts-check
/** What a staff page knows of its calls' records: entries by call, in the order in which they came. Pure. */

/** @typedef {import("../../web/lib/protocol.js").RecordPart} RecordPart */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {ReadonlyMap<string, ReadonlyMap<string, RecordPart>>} Records By call, then by entry. */
/** @typedef {{ call: CallPart, entry: RecordPart }} Attending */

/**
 * @param {Records} records
 * @param {import("../../web/lib/protocol.js").RecordMessage} message
 * @returns {Records} With each entry new, or in its new state.
 */
export function withEntries(records, { call_id, entries }) {
  const known = new Map(records.get(call_id));
  for (const entry of entries) known.set(entry.id, entry);
  return new Map(records).set(call_id, known);
}

/**
 * @param {Records} records
 * @param {string} callId
 * @returns {RecordPart[]} Newest first.
 */
export function entriesOf(records, callId) {
  return [...(records.get(callId)?.values() ?? [])].sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
}

/**
 * @param {RecordPart} entry
 * @returns {"waits" | "escalated" | "going" | "closed"} How far a request to attend has come.
 */
export function attendState(entry) {
  if (entry.closed_at) return "closed";
  if (entry.acknowledged_at) return "going";
  return entry.escalated_at ? "escalated" : "waits";
}

/**
 * @param {Records} records
 * @param {string} callId
 * @returns {RecordPart | undefined} The request to attend that is not closed yet.
 */
export function attendOf(records, callId) {
  return entriesOf(records, callId).find((entry) => entry.kind === "attend" && !entry.closed_at);
}

/**
 * @param {Records} records
 * @param {ReadonlyMap<string, CallPart>} calls
 * @returns {Attending[]} Every request that is not closed yet, the oldest first.
 */
export function attendings(records, calls) {
  /** @type {Attending[]} */
  const found = [];
  for (const [callId, call] of calls) {
    const entry = attendOf(records, callId);
    if (entry) found.push({ call, entry });
  }
  return found.sort((one, other) => Date.parse(one.entry.at) - Date.parse(other.entry.at));
}
