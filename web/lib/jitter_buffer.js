// @ts-check
/**
 * How long a sound waits before it is played. What was lost on any leg and sent again comes a round trip late, and a
 * browser's own buffer does not wait for it: it weighs the share of late packets against the delay for everybody, and
 * at 5 % loss stays at about 80 ms. Where packets come too late, this asks for a longer wait (`jitterBufferTarget`,
 * W3C webrtc-extensions), by steps, and where none do any more for a shorter one, down to what the browser thinks best.
 */

const LATE = 0.01; // share of packets from which the wait grows
const LEAST_LATE = 3; // fewer are chance
const LOOK_BACK_MS = 6000;
const FOLLOWS_MS = 1500; // the browser stretches the sound for so long until it waits as was asked
const UP_MS = 100;
const MAX_MS = 400; // with it, people still talk (ITU-T G.114 advises against more, one way)
const HELPED = 0.5; // the longest wait has helped where the share of late packets fell below this part of what it was
const GIVEN_UP_MS = 60_000;
const CALM = 0.001; // share of packets below which the wait shrinks
const CALM_MS = 20_000;
const DOWN_MS = 40;

/** @typedef {{ at: number, packets: number, late: number }} Count What had come by then, in all; `at` in ms. */

export class JitterBuffer {
  /** @param {RTCRtpReceiver} receiver Of a sound. */
  constructor(receiver) {
    this.receiver = receiver;
    /** What is asked for, in ms; 0: nothing. */
    this.targetMs = 0;
    /** Since the wait changed, and no longer ago than is looked back. @type {Count[]} */
    this.counts = [];
    /** @type {Count | null} */
    this.calmFrom = null;
    this.settlesAt = -Infinity;
    this.barredUntil = -Infinity;
    /** Share of late packets before the wait began to grow. */
    this.shareBefore = 0;
  }

  /**
   * Look at what came, and ask for another wait where that helps; call it every second or so.
   * @param {number} now Milliseconds.
   */
  async look(now) {
    if (!("jitterBufferTarget" in this.receiver)) return; // Safari, and Firefox before 128
    for (const one of (await this.receiver.getStats()).values()) {
      if (one.type === "inbound-rtp") this.note(now, one);
    }
  }

  /**
   * @private
   * @param {number} at
   * @param {Record<string, number>} heard The receiver's `inbound-rtp`.
   */
  note(at, { packetsReceived = 0, packetsDiscarded = 0, jitterBufferMinimumDelay = 0, jitterBufferEmittedCount = 0 }) {
    const count = { at, packets: packetsReceived, late: packetsDiscarded };
    if (at < this.settlesAt) this.counts = [];
    this.counts.push(count);
    while (at - (this.counts[1]?.at ?? at) >= LOOK_BACK_MS) this.counts.shift();
    const { late, share } = between(this.counts[0] ?? count, count);
    if (late >= LEAST_LATE && share >= LATE) {
      if (at >= this.barredUntil) this.grow(at, share, ownMs(jitterBufferMinimumDelay, jitterBufferEmittedCount));
    } else if (this.targetMs) {
      this.shrinkWhenCalm(count);
    }
  }

  /**
   * @private
   * @param {number} at
   * @param {number} share
   * @param {number} ownMs What the browser would wait by itself.
   */
  grow(at, share, ownMs) {
    if (this.targetMs === MAX_MS) {
      if (share < this.shareBefore * HELPED) return;
      this.barredUntil = at + GIVEN_UP_MS; // these come later than anybody would wait
      this.ask(at, 0);
      return;
    }
    if (!this.targetMs) this.shareBefore = share;
    this.ask(at, Math.min(MAX_MS, Math.max(this.targetMs, ownMs) + UP_MS));
  }

  /**
   * @private
   * @param {Count} count
   */
  shrinkWhenCalm(count) {
    const from = (this.calmFrom ??= count);
    if (count.at - from.at < CALM_MS) return;
    this.calmFrom = count;
    if (between(from, count).share < CALM) this.ask(count.at, Math.max(0, this.targetMs - DOWN_MS));
  }

  /**
   * @private
   * @param {number} at
   * @param {number} targetMs
   */
  ask(at, targetMs) {
    this.targetMs = targetMs;
    this.receiver.jitterBufferTarget = targetMs || null;
    this.counts = [];
    this.calmFrom = null;
    this.settlesAt = at + FOLLOWS_MS;
  }
}

/**
 * @param {Count} before
 * @param {Count} after
 */
function between(before, after) {
  const late = after.late - before.late;
  return { late, share: late / Math.max(1, after.packets - before.packets) };
}

/**
 * The mean of what the browser would have waited by itself so far, in ms.
 * @param {number} seconds Summed over all samples of sound that were played.
 * @param {number} played
 */
function ownMs(seconds, played) {
  return played ? Math.round((seconds / played) * 1000) : 0;
}
