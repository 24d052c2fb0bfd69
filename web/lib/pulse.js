// @ts-check
/**
 * Tells a dead path from a quiet network: no media come any more, and yet the broker answers on the socket.
 * A browser says `disconnected` only after some seven seconds. Where the whole network stands still the socket is silent
 * as well, and the old path is good again when it comes back: then nothing is done.
 */

/**
 * @typedef {object} PulseOptions
 * @property {() => Promise<number>} heard A number that changes with whatever comes.
 * @property {(limitMs?: number) => Promise<void>} check Returns when the broker has answered; rejects where it did not.
 * @property {number} quietMs How long nothing may come before the broker is asked.
 * @property {() => void} onDead
 * @property {Surroundings} [surroundings] For tests.
 */

/**
 * @typedef {object} Surroundings
 * @property {(run: () => void, ms: number) => any} setTimer
 * @property {(timer: any) => void} clearTimer
 * @property {() => number} now Milliseconds.
 * @property {(run: () => void) => () => void} onNetworkChange Returns what ends the listening.
 */

const BEAT_MS = 300;
const GRACE_MS = 200; // media that were only late come with the answer
const CHANGED_MS = 3000; // for so long after word of another network: what came last may be from before
const CHANGED_QUIET_MS = 400; // then less silence is enough to ask
const CHANGED_CHECK_MS = 1000; // a socket over the network that was left does not answer at all

/** @type {Surroundings} */
const BROWSER = {
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (timer) => clearTimeout(timer),
  now: () => performance.now(),
  onNetworkChange,
};

export class Pulse {
  /** @param {PulseOptions} options */
  constructor(options) {
    this.options = options;
    this.around = options.surroundings ?? BROWSER;
    /** @type {number | null} */
    this.count = null;
    this.heardAt = 0;
    this.changedAt = -Infinity;
    /** @type {any} */
    this.timer = null;
    /** Ends the listening for another network; none: not running. @type {(() => void) | null} */
    this.unlisten = null;
  }

  /** Begin, where it has not begun. */
  start() {
    if (this.unlisten) return;
    this.heardAt = this.around.now();
    this.unlisten = this.around.onNetworkChange(() => {
      this.changedAt = this.around.now();
    });
    this.wait();
  }

  stop() {
    this.unlisten?.();
    this.unlisten = null;
    this.around.clearTimer(this.timer);
  }

  /** @private */
  wait() {
    this.timer = this.around.setTimer(() => void this.beat(), BEAT_MS);
  }

  /** @private */
  async beat() {
    const { quietMs, onDead } = this.options;
    const limitMs = this.hasChanged() ? Math.min(CHANGED_QUIET_MS, quietMs) : quietMs;
    const dead = !(await this.isAlive()) && this.around.now() - this.heardAt >= limitMs && (await this.isPathAlone());
    if (!this.unlisten) return;
    if (dead) onDead();
    else this.wait();
  }

  /** @private */
  hasChanged() {
    return this.around.now() - this.changedAt < CHANGED_MS;
  }

  /** Look whether anything came since the last look. @private */
  async isAlive() {
    const count = await this.options.heard();
    if (count === this.count) return false;
    this.count = count;
    this.heardAt = this.around.now();
    return true;
  }

  /** Ask the broker; tell whether it answered and still nothing came. @private */
  async isPathAlone() {
    try {
      await this.options.check(this.hasChanged() ? CHANGED_CHECK_MS : undefined);
    } catch {
      return false; // the socket is gone too: its next one brings a new offer
    }
    await new Promise((done) => this.around.setTimer(() => done(undefined), GRACE_MS));
    return !(await this.isAlive());
  }
}

/**
 * Hear of another network: `online` in every browser, the kind of link (Wi-Fi, mobile) where it is told.
 * @param {() => void} run
 * @returns {() => void}
 */
function onNetworkChange(run) {
  const link = /** @type {(EventTarget & { type?: string }) | undefined} */ (/** @type {any} */ (navigator).connection);
  let kind = link?.type;
  const changed = () => {
    if (link?.type !== kind) run();
    kind = link?.type;
  };
  window.addEventListener("online", run);
  link?.addEventListener("change", changed);
  return () => {
    window.removeEventListener("online", run);
    link?.removeEventListener("change", changed);
  };
}
