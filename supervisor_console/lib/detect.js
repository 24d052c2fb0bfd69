// @ts-check
/** What a picture and the levels of a call let one suspect: covered, frozen, silent. Advice only, it acts on nothing. Pure. */

/** @typedef {"covered" | "frozen" | "silence"} Suspicion */
/** @typedef {{ light: Uint8Array, mean: number, spread: number }} Look A picture at one instant: its luminance, 0 to 255. */
/** @typedef {{ callId: string, legId: string | null, code: Suspicion, since: number }} Advice `since` in ms since 1970, by the broker's clock. */

/** The size of a look, in pixels: enough for light and change, too small to tell a face by. */
export const LOOK = { width: 32, height: 18 };

const DARK = 14; // mean luminance below which nothing can be made out
const FLAT = 5; // standard deviation of a hand, tape or a lid before the lens; a dim room with a person has more
const SAME = 0.02; // mean difference: the noise of a live camera is more, a picture that stands has none
const QUIET = 0.02; // a level below this is no speech (RFC 6464, as a share of full scale)

/**
 * @param {ArrayLike<number>} pixels RGBA, as `ImageData.data`.
 * @returns {Look}
 */
export function lookAt(pixels) {
  const light = new Uint8Array(pixels.length / 4);
  let sum = 0;
  for (let at = 0; at < light.length; at += 1) {
    const [red, green, blue] = [pixels[at * 4] ?? 0, pixels[at * 4 + 1] ?? 0, pixels[at * 4 + 2] ?? 0];
    light[at] = (red * 77 + green * 150 + blue * 29) >> 8; // ITU-R BT.601, in 256ths
    sum += light[at] ?? 0;
  }
  const mean = sum / light.length;
  let squares = 0;
  for (const value of light) squares += (value - mean) ** 2;
  return { light, mean, spread: Math.sqrt(squares / light.length) };
}

/** @param {Look} look */
export function isCovered({ mean, spread }) {
  return mean < DARK || spread < FLAT;
}

/**
 * @param {Look} before
 * @param {Look} after
 * @returns {boolean} Whether nothing at all changed in between. A covered picture is not called frozen.
 */
export function isFrozen(before, after) {
  if (isCovered(after) || before.light.length !== after.light.length) return false;
  let difference = 0;
  for (let at = 0; at < after.light.length; at += 1) difference += Math.abs((after.light[at] ?? 0) - (before.light[at] ?? 0));
  return difference / after.light.length < SAME;
}

/** @param {readonly number[]} levels Of every end, 0 to 1. */
export function isSilent(levels) {
  return levels.length > 1 && levels.every((level) => level < QUIET);
}

/** What is suspected of each call and since when; what is seen no more is said once. */
export class Suspicions {
  constructor() {
    /** @type {Map<string, Advice>} */
    this.standing = new Map();
    /** @type {Map<string, { look: Look, at: number }>} */
    this.looks = new Map();
    /** @type {Omit<Advice, "since">[]} */
    this.gone = [];
  }

  /**
   * @param {string} callId
   * @param {string} legId
   * @param {Look} look
   * @param {number} now Milliseconds since 1970, by the broker's clock.
   */
  looked(callId, legId, look, now) {
    const before = this.looks.get(legId);
    this.looks.set(legId, { look, at: now });
    this.note({ callId, legId, code: "covered" }, isCovered(look), now);
    this.note({ callId, legId, code: "frozen" }, before !== undefined && isFrozen(before.look, look), before?.at ?? now);
  }

  /** Nothing is claimed of a picture that is not there. @param {string} callId @param {string} legId */
  unseen(callId, legId) {
    this.looks.delete(legId);
    for (const [key, advice] of this.standing) if (advice.callId === callId && advice.legId === legId) this.drop(key, advice);
  }

  /**
   * @param {string} callId
   * @param {readonly number[]} levels
   * @param {number} now
   */
  heard(callId, levels, now) {
    this.note({ callId, legId: null, code: "silence" }, isSilent(levels), now);
  }

  /**
   * @param {string} callId
   * @param {string | null} legId
   * @param {Suspicion} code
   */
  stands(callId, legId, code) {
    return this.standing.has(`${callId} ${legId} ${code}`);
  }

  /** Nothing is claimed of calls that cannot be looked at now. @param {ReadonlySet<string>} calls Those that can be. */
  keep(calls) {
    for (const [key, advice] of this.standing) if (!calls.has(advice.callId)) this.drop(key, advice);
    for (const legId of this.looks.keys()) if (!calls.has(legId.slice(0, legId.lastIndexOf(".")))) this.looks.delete(legId);
  }

  /** @returns {(Omit<Advice, "since"> & { since: number | null })[]} What to tell the broker now. */
  take() {
    const gone = this.gone.map((advice) => ({ ...advice, since: null }));
    this.gone = [];
    return [...gone, ...this.standing.values()];
  }

  /**
   * @private
   * @param {Omit<Advice, "since">} what
   * @param {boolean} seen
   * @param {number} since
   */
  note(what, seen, since) {
    const key = `${what.callId} ${what.legId} ${what.code}`;
    const held = this.standing.get(key);
    if (seen && !held) this.standing.set(key, { ...what, since });
    if (!seen && held) this.drop(key, held);
  }

  /**
   * @private
   * @param {string} key
   * @param {Advice} advice
   */
  drop(key, { callId, legId, code }) {
    this.standing.delete(key);
    this.gone.push({ callId, legId, code });
  }
}
