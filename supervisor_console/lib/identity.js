// @ts-check
/** The ticks of an identity check: which there are, which are missing, and what the broker is told. Pure. */

/** @typedef {import("../../web/lib/protocol.js").AttendeePart} AttendeePart */
/** @typedef {import("../../web/lib/protocol.js").LegPart} LegPart */
/** @typedef {import("../../web/lib/protocol.js").Document} Document */
/** @typedef {{ name: boolean, photo: boolean, document: Document | null, absent: boolean }} Ticks */
/** @typedef {ReadonlyMap<string, Ticks>} AllTicks By person. */

/** @typedef {import("../../web/lib/protocol.js").IdentityReason} IdentityReason */

/** Why a family is refused, in the order of the digit keys. */
export const REFUSALS = /** @type {IdentityReason[]} */ (["no_id", "photo_differs", "not_on_list", "someone_in_view", "child_alone", "not_visible", "intoxicated", "declined"]);
export const DOCUMENTS = /** @type {Document[]} */ (["passport", "driving_licence", "other_photo_id"]);
const NONE = /** @type {Ticks} */ ({ name: false, photo: false, document: null, absent: false });

/**
 * @param {AllTicks} ticks
 * @param {string} id
 * @returns {Ticks}
 */
export function ticksOf(ticks, id) {
  return ticks.get(id) ?? NONE;
}

/**
 * @param {AttendeePart} person
 * @param {Ticks} ticks
 * @returns {("name" | "photo" | "document" | "with_adult")[]}
 */
export function missingTicks(person, ticks) {
  if (person.verified) return [];
  /** @type {("name" | "photo" | "document" | "with_adult")[]} */
  const missing = [];
  if (!ticks.name) missing.push("name");
  if (!ticks.photo) missing.push("photo");
  if (!ticks.document) missing.push(person.child ? "with_adult" : "document");
  return missing;
}

/**
 * @param {LegPart} leg
 * @param {AllTicks} ticks
 * @returns {AttendeePart[]} Who is there: everyone who is not said to be absent.
 */
export function hereOf(leg, ticks) {
  return leg.people.filter((person) => !ticksOf(ticks, person.id).absent);
}

/**
 * @param {AttendeePart[]} here
 * @param {AllTicks} ticks
 * @returns {{ id: string, name: boolean, photo: boolean, document: Document | null }[]}
 */
export function checksOf(here, ticks) {
  return here.filter((person) => !person.verified).map(({ id }) => {
    const { name, photo, document } = ticksOf(ticks, id);
    return { id, name, photo, document };
  });
}
