// @ts-check
/** What stands around the pages' modules in tests: a socket and a clock that the test moves. */

/** A socket that does what the test says. */
export class FakeSocket {
  constructor() {
    /** @type {any[]} */
    this.sent = [];
    this.closed = false;
    this.readyState = 0; // as a WebSocket's: connecting, open, closing, closed
    /** @type {any} */
    this.onopen = null;
    /** @type {any} */
    this.onmessage = null;
    /** @type {any} */
    this.onclose = null;
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
    this.readyState = 2;
  }

  /** @param {object} message */
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** Open, be welcomed. @param {string} [now] */
  welcome(now = "2026-11-24T14:00:00Z") {
    this.readyState = 1;
    this.onopen?.();
    this.say({ type: "welcome", protocol: 1, now, you: { chair: "family" }, receive: { audio: 1, video: 1 }, demo: false });
  }

  /** Go, as a network does. */
  lose() {
    this.readyState = 3;
    this.onclose?.({});
  }
}

/** A clock and its timers; `advance` runs what falls due, in order. */
export class FakeClock {
  constructor() {
    this.at = Date.parse("2026-11-24T13:59:00Z");
    /** @type {{ due: number, run: () => void }[]} */
    this.timers = [];
  }

  /** @param {() => void} run @param {number} ms */
  set(run, ms) {
    const timer = { due: this.at + ms, run };
    this.timers.push(timer);
    return timer;
  }

  /** @param {any} timer */
  clear(timer) {
    this.timers = this.timers.filter((one) => one !== timer);
  }

  /** @param {number} ms */
  async advance(ms) {
    const end = this.at + ms;
    for (;;) {
      const next = this.timers.filter((one) => one.due <= end).sort((one, other) => one.due - other.due)[0];
      if (!next) break;
      this.at = next.due;
      this.clear(next);
      next.run();
      await settle();
    }
    this.at = end;
  }
}

/** Let everything that waits only for promises go on. */
export async function settle() {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
