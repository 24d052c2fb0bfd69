// @ts-check
/** Whose picture is looked at next for faces, and what the counts let one say. Advice only, it acts on nothing. Pure. */

/** @typedef {"faces_more" | "faces_none" | "faces_fewer"} FaceCode */
/** @typedef {{ callId: string, legId: string, expected: number }} End One end of a call, and how many faces it should show. */
/** @typedef {{ callId: string, legId: string, code: FaceCode, since: number | null }} FaceAdvice `since` in ms since 1970; none: seen no more. */
/** @typedef {{ first: number, last: number, looks: number }} Streak Looks one after the other that said the same. */
/** @typedef {{ end: End, at: number, streaks: Map<FaceCode, Streak>, told: Set<FaceCode> }} Seen */

/** The size of a look, in pixels: that of the model's input. */
export const FACE_LOOK = { width: 256, height: 256 };
/** Of the scores that the model gives, those from here on are a face (docs/faces.md). */
export const SURE = 0.5;

const LOOKS = 3; // one look may be wrong, three in a row seldom are
const FAVOUR_MS = 60_000; // what has been so for longer is looked at in turn, as all others
const PERIOD_MS = 500; // both ends of one tile a second
const SHARE = 0.05; // of one core, at the most
const RECENT = 8;

/** How often to look, so that looks take no more than their share of a core. */
export class Pace {
  constructor() {
    /** @type {number[]} */
    this.took = [];
  }

  /**
   * A page can read no thread's time: what a look costs is the shortest of the last ones, which waited least for a core.
   * @param {number} ms How long the last look took.
   * @returns {number} How long to wait before the next.
   */
  restAfter(ms) {
    this.took = [...this.took.slice(1 - RECENT), ms];
    return Math.max(0, Math.max(PERIOD_MS, Math.min(...this.took) / SHARE) - ms);
  }
}

/**
 * Where a picture of that size lies in a look: whole and undistorted, for a face that is pulled out of shape is missed.
 * @param {number} width
 * @param {number} height
 */
export function placeOf(width, height) {
  const scale = Math.min(FACE_LOOK.width / width, FACE_LOOK.height / height);
  const size = { width: width * scale, height: height * scale };
  return { left: (FACE_LOOK.width - size.width) / 2, top: (FACE_LOOK.height - size.height) / 2, ...size };
}

/** @param {readonly number[]} scores @returns {number} How many faces. */
export function facesIn(scores) {
  return scores.filter((score) => score >= SURE).length;
}

/** What has been counted at each end. */
export class FaceCounts {
  constructor() {
    /** @type {Map<string, Seen>} */
    this.seen = new Map();
    /** @type {FaceAdvice[]} */
    this.gone = [];
    this.favours = false;
  }

  /** Nothing is claimed of ends that cannot be looked at now, or of which another number is expected. @param {readonly End[]} ends Those that can be. */
  keep(ends) {
    const known = new Map(ends.map((end) => [end.legId, end]));
    for (const [legId, { end, told }] of this.seen) {
      if (known.get(legId)?.expected === end.expected) continue;
      for (const code of told) this.gone.push({ callId: end.callId, legId, code, since: null });
      this.seen.delete(legId);
    }
  }

  /**
   * Every second look goes to an end of which something is suspected, if there is one; the others go round.
   * @param {readonly End[]} ends
   * @param {number} now
   * @returns {End | null}
   */
  next(ends, now) {
    this.favours = !this.favours;
    const suspects = this.favours ? ends.filter((end) => this.isSuspect(end.legId, now)) : [];
    const from = suspects.length ? suspects : ends;
    const at = (/** @type {End} */ end) => this.seen.get(end.legId)?.at ?? -Infinity;
    return from.reduce((/** @type {End | null} */ longest, end) => (longest && at(longest) <= at(end) ? longest : end), null);
  }

  /**
   * @param {End} end
   * @param {number} count
   * @param {number} now When it was looked at, in ms since 1970.
   */
  counted(end, count, now) {
    const seen = this.seen.get(end.legId) ?? { end, at: now, streaks: new Map(), told: new Set() };
    this.seen.set(end.legId, seen);
    seen.at = now;
    note(seen, "faces_more", count > end.expected, now);
    note(seen, "faces_none", count === 0, now);
    note(seen, "faces_fewer", count < end.expected, now);
    const standing = codesOf(seen);
    for (const code of seen.told) if (!standing.has(code)) this.gone.push({ callId: end.callId, legId: end.legId, code, since: null });
    seen.told = standing;
  }

  /**
   * What to tell the broker now. Only time between two looks that agree is claimed: not the time since the last one.
   * @param {number} now
   * @returns {FaceAdvice[]}
   */
  take(now) {
    const said = this.gone;
    this.gone = [];
    for (const [legId, { end, streaks, told }] of this.seen) {
      for (const code of told) {
        const { first, last } = /** @type {Streak} */ (streaks.get(code));
        said.push({ callId: end.callId, legId, code, since: now - (last - first) });
      }
    }
    return said;
  }

  /**
   * @private
   * @param {string} legId
   * @param {number} now
   */
  isSuspect(legId, now) {
    return [...(this.seen.get(legId)?.streaks.values() ?? [])].some(({ first }) => now - first < FAVOUR_MS);
  }
}

/**
 * @param {Seen} seen
 * @param {FaceCode} code
 * @param {boolean} so
 * @param {number} now
 */
function note({ streaks }, code, so, now) {
  const { first, looks } = streaks.get(code) ?? { first: now, looks: 0 };
  if (so) streaks.set(code, { first, last: now, looks: looks + 1 });
  else streaks.delete(code);
}

/** Of an empty picture it is not also said that somebody is missing. @param {Seen} seen @returns {Set<FaceCode>} */
function codesOf({ streaks }) {
  const codes = new Set([...streaks].filter(([, { looks }]) => looks >= LOOKS).map(([code]) => code));
  if (codes.has("faces_none")) codes.delete("faces_fewer");
  return codes;
}
