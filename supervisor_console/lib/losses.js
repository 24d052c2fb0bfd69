// @ts-check
/** How much each link of the call in focus lost over the last quarter of an hour: from the broker, then from its news. Pure. */

/** @typedef {import("../../web/lib/protocol.js").LossHistory} LossHistory */
/** @typedef {import("../../web/lib/protocol.js").News} News */
/** @typedef {"low" | "middle" | "high"} Band */

/**
 * @typedef {object} Losses
 * @property {string | null} callId
 * @property {number} everyMs
 * @property {number} until Of the newest sample, in ms since 1970 by the broker's clock.
 * @property {ReadonlyMap<string, readonly (number | null)[]>} legs Percent, the newest last; null: not connected.
 */

const SPAN_MS = 15 * 60 * 1000;
const MIDDLE = 10;
const HIGH = 15;

/** @type {Losses} */
export const NO_LOSSES = { callId: null, everyMs: 5000, until: 0, legs: new Map() };

/**
 * @param {LossHistory} message
 * @returns {Losses}
 */
export function fromHistory({ call_id, every_s, until, legs }) {
  return { callId: call_id, everyMs: every_s * 1000, until: Date.parse(until), legs: new Map(legs.map((leg) => [leg.leg_id, leg.percent])) };
}

/**
 * Take a sample from the news where one is due. What was not heard of in between is a gap, never a line.
 * @param {Losses} losses
 * @param {News} news
 * @returns {Losses}
 */
export function withNews(losses, news) {
  const passed = Math.floor((Date.parse(news.now) - losses.until) / losses.everyMs);
  if (losses.callId === null || !(passed >= 1)) return losses;
  const most = SPAN_MS / losses.everyMs;
  const gap = new Array(Math.min(passed - 1, most)).fill(null);
  const now = new Map(news.legs.map((leg) => [leg.leg_id, leg]));
  const legs = new Map(
    [...losses.legs].map(([id, samples]) => {
      const known = now.get(id);
      const newest = known && known.health !== "none" ? Math.round(known.loss * 100) : null;
      return [id, [...samples, ...gap, newest].slice(-most)];
    }),
  );
  return { ...losses, until: losses.until + passed * losses.everyMs, legs };
}

/**
 * @param {number} percent
 * @returns {Band} Below 10 %, below 15 %, or worse.
 */
export function bandOf(percent) {
  return percent < MIDDLE ? "low" : percent < HIGH ? "middle" : "high";
}

/**
 * How much of the time that is known lay in each band, and the worst sample.
 * @param {readonly (number | null)[]} samples
 */
export function summaryOf(samples) {
  const known = samples.filter((sample) => sample !== null);
  const count = (/** @type {Band} */ band) => known.filter((sample) => bandOf(sample) === band).length;
  return { known: known.length, low: count("low"), middle: count("middle"), high: count("high"), worst: known.length ? Math.max(...known) : 0 };
}
