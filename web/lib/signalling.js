// @ts-check
/** The page's end of the wire: one socket that comes back by itself, and commands that survive its loss. */

/** @typedef {import("./protocol.js").ClientMessage} ClientMessage */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./protocol.js").Welcome} Welcome */
/** @typedef {import("./protocol.js").Ok} Ok */
/** @typedef {import("./protocol.js").RefusedMessage} RefusedMessage */
/** @typedef {import("./protocol.js").MediaAnswer} MediaAnswer */

/** @typedef {"connecting" | "open" | "reconnecting" | "closed"} State */
/** @typedef {Ok | RefusedMessage | MediaAnswer} Answer */
/** @typedef {Extract<ClientMessage, { key: string }>} Keyed */
/** @typedef {Exclude<ClientMessage, { key: string } | { type: "hello" }>} Unkeyed */
/** @typedef {Keyed extends infer M ? M extends { key: string } ? Omit<M, "key"> & { key?: string } : never : never} Command */

/**
 * What a page tells when the socket's state changes. `code` says why it closed for good:
 * a `bye` code, or the code with which the ticket was refused.
 * @typedef {(state: State, code?: string) => void} OnState
 */

/**
 * @typedef {object} Options
 * @property {() => Promise<string>} getTicket A fresh ticket for every socket. Reject with a `TicketRefused` to stop for good.
 * @property {(message: ServerMessage) => void} onMessage Every message but the answers of commands.
 * @property {OnState} [onState]
 * @property {number} [silenceLimitMs] Take the socket for dead when nothing came for so long (consoles hear `news` each second).
 * @property {string} [url]
 * @property {Surroundings} [surroundings] For tests.
 */

/**
 * @typedef {object} Surroundings
 * @property {(url: string) => WebSocket} socket
 * @property {(run: () => void, ms: number) => any} setTimer
 * @property {(timer: any) => void} clearTimer
 * @property {() => number} random
 * @property {() => number} now Milliseconds since 1970, of this machine.
 */

const PROTOCOL = 1;
const OPEN = 1; // WebSocket.OPEN

/** The waits before each try, in ms; the last one goes on (reliability.md: clients come back within 5 s, spread out). */
export const BACKOFF_MS = [0, 300, 1200, 2700, 4800];
const JITTER = 0.25;
const CONNECT_LIMIT_MS = 8000; // socket and welcome; past it the try has failed
const ANSWER_LIMIT_MS = 10000; // a command unanswered for so long: the socket is taken for dead
const CHECK_LIMIT_MS = 5000; // a check of the link is small and answered at once

/** After these a new socket would only be refused, or would push out a page that the person now uses. */
const FINAL_BYES = new Set(["replaced", "revoked", "signed_out", "elsewhere", "version", "violation"]);

/** The broker gives no ticket: the link or the session is no longer good. */
export class TicketRefused extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** The command was not answered and will not be sent again. */
export class NotSent extends Error {}

/** @type {() => Surroundings} */
const browser = () => ({
  socket: (url) => new WebSocket(url),
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (timer) => clearTimeout(timer),
  random: Math.random,
  now: Date.now,
});

/** Return a random key for a command. */
export function newKey() {
  return crypto.randomUUID();
}

/**
 * Open the page's connection and keep it open.
 * @param {Options} options
 */
export function connect(options) {
  const connection = new Connection(options);
  connection.start();
  return connection;
}

export class Connection {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.around = options.surroundings ?? browser();
    /** @type {State} */
    this.state = "connecting";
    /** @type {Welcome | null} */
    this.welcome = null;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.tries = 0;
    /** Milliseconds to add to this machine's clock to get the broker's. */
    this.offsetMs = 0;
    this.offsetKnown = false;
    /** @type {string | null} */
    this.bye = null;
    /** @type {any} */
    this.retryTimer = null;
    /** @type {any} */
    this.watchTimer = null;
    /** @type {Map<string, { message: Keyed, resend: boolean, limitMs: number, resolve: (answer: Answer) => void, reject: (reason: Error) => void, timer: any }>} */
    this.unanswered = new Map();
  }

  start() {
    if (typeof window !== "undefined") {
      window.addEventListener("online", () => this.hurry());
      window.addEventListener("pageshow", () => this.hurry());
    }
    this.attempt();
  }

  /** The broker's time, in ms since 1970. */
  now() {
    return this.around.now() + this.offsetMs;
  }

  /**
   * Say something that has no answer. Lost when the socket is not open; returns whether it was sent.
   * @param {Unkeyed} message
   * @returns {boolean}
   */
  send(message) {
    if (this.state !== "open" || this.socket?.readyState !== OPEN) return false; // it may be closing, and nobody told yet
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /**
   * Do something, once, and return the broker's answer. It is sent again with the same key after a lost socket.
   * With `resend: false` (an offer: a new socket needs a new one) a lost socket rejects with `NotSent`.
   * @param {Command} command
   * @param {{ resend?: boolean, limitMs?: number }} [how]
   * @returns {Promise<Answer>}
   */
  command(command, { resend = true, limitMs = ANSWER_LIMIT_MS } = {}) {
    const message = /** @type {Keyed} */ ({ ...command, key: command.key ?? newKey() });
    if (this.state === "closed" || (!resend && this.state !== "open")) return Promise.reject(new NotSent(message.type));
    return new Promise((resolve, reject) => {
      this.unanswered.set(message.key, { message, resend, limitMs, resolve, reject, timer: null });
      if (this.state === "open") this.dispatch(message.key);
    });
  }

  /**
   * Return when the broker has answered on this socket; rejects where the socket went, at the latest after `limitMs`.
   * @param {number} [limitMs]
   */
  async check(limitMs = CHECK_LIMIT_MS) {
    await this.command({ type: "link.check" }, { resend: false, limitMs });
  }

  /** Drop the socket and come back at once: the page knows better that the link is gone. */
  restart() {
    if (this.state === "closed") return;
    this.drop();
    this.tries = 0;
    this.retry();
  }

  /** Close for good. */
  close() {
    this.finish(undefined);
  }

  /** Try now rather than at the end of the wait. */
  hurry() {
    if (this.state === "closed" || this.state === "open" || this.retryTimer === null) return;
    this.tries = 0;
    this.retry();
  }

  /** @private */
  async attempt() {
    const mine = (this.attempting = {});
    this.bye = null;
    let ticket;
    try {
      ticket = await this.options.getTicket();
    } catch (reason) {
      if (this.attempting !== mine) return;
      if (reason instanceof TicketRefused) this.finish(reason.code);
      else this.retry();
      return;
    }
    if (this.attempting !== mine || this.state === "closed") return;
    this.open(ticket);
  }

  /**
   * @private
   * @param {string} ticket
   */
  open(ticket) {
    const socket = this.around.socket(this.options.url ?? ownSocket());
    this.socket = socket;
    this.watch(CONNECT_LIMIT_MS);
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", protocol: [PROTOCOL], ticket }));
    socket.onmessage = (event) => {
      if (this.socket === socket) this.hear(event.data);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
  }

  /**
   * @private
   * @param {unknown} data
   */
  hear(data) {
    const message = readMessage(data);
    if (!message) return;
    if ("now" in message) this.learnTime(message.now);
    if (message.type === "welcome") return this.welcomed(message);
    if (this.options.silenceLimitMs && this.state === "open") this.watch(this.options.silenceLimitMs);
    if (message.type === "bye") {
      this.bye = message.code;
      if (FINAL_BYES.has(message.code)) return this.finish(message.code);
    }
    if ("key" in message && this.settle(/** @type {Answer} */ (message))) return;
    this.options.onMessage(message);
  }

  /**
   * @private
   * @param {Welcome} message
   */
  welcomed(message) {
    this.welcome = message;
    this.tries = 0;
    this.unwatch();
    if (this.options.silenceLimitMs) this.watch(this.options.silenceLimitMs);
    this.change("open");
    this.options.onMessage(message);
    for (const key of [...this.unanswered.keys()]) this.dispatch(key);
  }

  /**
   * @private
   * @param {string} key
   */
  dispatch(key) {
    const entry = this.unanswered.get(key);
    if (!entry || this.socket?.readyState !== OPEN) return; // sent again on the next socket
    this.around.clearTimer(entry.timer);
    this.socket.send(JSON.stringify(entry.message));
    entry.timer = this.around.setTimer(() => this.restart(), entry.limitMs);
  }

  /**
   * @private
   * @param {Answer} answer
   * @returns {boolean}
   */
  settle(answer) {
    const entry = this.unanswered.get(answer.key);
    if (!entry) return false;
    this.unanswered.delete(answer.key);
    this.around.clearTimer(entry.timer);
    entry.resolve(answer);
    return true;
  }

  /**
   * The least delayed message of this socket tells the time best: it gives the greatest offset.
   * @private
   * @param {string} now
   */
  learnTime(now) {
    const offset = Date.parse(now) - this.around.now();
    if (Number.isNaN(offset)) return;
    if (!this.offsetKnown || offset > this.offsetMs) this.offsetMs = offset;
    this.offsetKnown = true;
  }

  /** @private */
  lost() {
    this.drop();
    this.retry();
  }

  /** @private */
  drop() {
    const socket = this.socket;
    this.socket = null;
    this.attempting = null;
    this.offsetKnown = false;
    this.unwatch();
    for (const [key, entry] of [...this.unanswered]) {
      this.around.clearTimer(entry.timer);
      if (entry.resend) continue;
      this.unanswered.delete(key);
      entry.reject(new NotSent(entry.message.type));
    }
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @private */
  retry() {
    this.around.clearTimer(this.retryTimer);
    this.change("reconnecting");
    const wait = BACKOFF_MS[Math.min(this.tries, BACKOFF_MS.length - 1)] ?? 0;
    this.tries += 1;
    const jittered = wait * (1 + JITTER * (2 * this.around.random() - 1));
    this.retryTimer = this.around.setTimer(() => {
      this.retryTimer = null;
      this.attempt();
    }, jittered);
  }

  /**
   * @private
   * @param {string | undefined} code
   */
  finish(code) {
    if (this.state === "closed") return;
    this.drop();
    this.around.clearTimer(this.retryTimer);
    this.retryTimer = null;
    for (const [key, entry] of [...this.unanswered]) {
      this.unanswered.delete(key);
      entry.reject(new NotSent(entry.message.type));
    }
    this.change("closed", code);
  }

  /**
   * @private
   * @param {State} state
   * @param {string} [code]
   */
  change(state, code) {
    if (this.state === state && state !== "closed") return;
    this.state = state;
    this.options.onState?.(state, code);
  }

  /**
   * @private
   * @param {number} ms
   */
  watch(ms) {
    this.unwatch();
    this.watchTimer = this.around.setTimer(() => this.lost(), ms);
  }

  /** @private */
  unwatch() {
    this.around.clearTimer(this.watchTimer);
    this.watchTimer = null;
  }
}

/** @returns {string} The socket's address on the page's own host. */
function ownSocket() {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`;
}

/**
 * @param {unknown} data
 * @returns {ServerMessage | null} Nothing for what is no message of ours; a type that we do not know is passed on, to be ignored.
 */
function readMessage(data) {
  if (typeof data !== "string") return null;
  try {
    const message = JSON.parse(data);
    return message && typeof message.type === "string" ? message : null;
  } catch {
    return null;
  }
}
