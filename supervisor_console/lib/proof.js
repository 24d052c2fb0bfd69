// @ts-check
/** What the page says of each picture: the sample of the last second, made a `wall.proof` (wall.md 4). Pure. */

/** @typedef {import("../../web/lib/protocol.js").WallProof} WallProof */
/** @typedef {import("../../web/lib/protocol.js").ShownLeg} ShownLeg */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */

/** @typedef {{ home: number, index: number }} Place A line: which of the console's connections, and which of its lines. */

/**
 * @typedef {object} Sample What one picture did over the last second.
 * @property {Place | null} line The video line that the element shows; none: a still or a placeholder.
 * @property {number | null} [still] The number of the still that the element shows.
 * @property {number} frames
 * @property {number | null} rtpTimestamp
 * @property {boolean} advanced
 * @property {number} ratio
 * @property {boolean} unobscured
 * @property {number} width
 * @property {number} height
 */

/** As policy `shown_min_width`, `shown_min_height`, `shown_ratio`: here only for what the page says of itself. */
const LEAST = { width: 96, height: 54, ratio: 0.95 };

/**
 * @param {object} what
 * @param {number} what.n
 * @param {string} what.heard The broker's own time, as the page last heard it.
 * @param {boolean} what.visible
 * @param {boolean} what.stale No news: what stands on the page may be old, and is not claimed as displayed.
 * @param {Iterable<CallPart>} what.calls Every call that the wall must present.
 * @param {(legId: string) => Sample | undefined} what.sampleOf Nothing for a picture that is nowhere on the page.
 * @returns {WallProof}
 */
export function buildProof({ n, heard, visible, stale, calls, sampleOf }) {
  const tiles = [...calls].map((call) => ({
    call_id: call.id,
    legs: call.legs.map((leg) => shownLeg(leg.id, sampleOf(leg.id))),
  }));
  return { type: "wall.proof", n, heard, visible: visible && !stale, tiles };
}

/**
 * @param {string} legId
 * @param {Sample | undefined} sample
 * @returns {ShownLeg}
 */
function shownLeg(legId, sample) {
  if (!sample) {
    return { leg_id: legId, line: null, home: 0, frames: 0, rtp_timestamp: null, advanced: false, ratio: 0, unobscured: false, width: 0, height: 0 };
  }
  return {
    leg_id: legId,
    line: sample.line?.index ?? null,
    home: sample.line?.home ?? 0,
    ...(sample.still == null ? {} : { still: sample.still }),
    frames: sample.frames,
    rtp_timestamp: sample.rtpTimestamp,
    advanced: sample.advanced,
    ratio: Math.round(sample.ratio * 1000) / 1000,
    unobscured: sample.unobscured,
    width: Math.round(sample.width),
    height: Math.round(sample.height),
  };
}

/**
 * Which calls a proof does not show, and why: the page's own count, so that it agrees with the wall.
 * @param {WallProof} proof
 * @returns {Map<string, "hidden" | "small">}
 */
export function notInView(proof) {
  /** @type {Map<string, "hidden" | "small">} */
  const hidden = new Map();
  for (const tile of proof.tiles) {
    for (const leg of tile.legs) {
      const small = (leg.width ?? 0) < LEAST.width || (leg.height ?? 0) < LEAST.height;
      const seen = proof.visible && leg.unobscured && (leg.ratio ?? 0) >= LEAST.ratio;
      if (!seen) hidden.set(tile.call_id, "hidden");
      else if (small && !hidden.has(tile.call_id)) hidden.set(tile.call_id, "small");
    }
  }
  return hidden;
}
