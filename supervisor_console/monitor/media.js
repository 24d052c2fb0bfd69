// @ts-check
/** The console's peer connections, one at each home of the relay: fixed pools of receive lines, made anew when lost (wall.md 3). */

import { signal } from "@preact/signals";

import { Peer, offerOver } from "../../web/lib/peer.js";

/** @typedef {import("../lib/session.js").Session} Session */
/** @typedef {import("../../web/lib/protocol.js").LineWant} LineWant */
/** @typedef {import("../../web/lib/protocol.js").LinePart} LinePart */

const RETRY_MS = 1000;

/**
 * @typedef {object} Home One of the relay's homes, as the console is connected to it.
 * @property {LineWant} want
 * @property {Peer | null} peer
 * @property {number} [timer] Of the next try.
 */

/**
 * @typedef {object} Tools What the connections are made with; tests bring their own.
 * @property {(options: import("../../web/lib/peer.js").PeerOptions) => Peer} makePeer
 * @property {(run: () => void, ms: number) => any} setTimer
 * @property {(timer: any) => void} clearTimer
 */

/** @type {Tools} */
const REAL = {
  makePeer: (options) => new Peer(options),
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (timer) => clearTimeout(timer),
};

export class Media {
  /**
   * @param {Session} session
   * @param {Partial<Tools>} [tools]
   */
  constructor(session, tools = {}) {
    this.session = session;
    this.tools = { ...REAL, ...tools };
    /** @type {Map<number, Home>} */
    this.homes = new Map();
    /** Rises with every connection: the tracks are others then. */
    this.version = signal(0);
    session.signedOn.push(() => this.start());
    session.hearers.push((message) => {
      if (message.type === "media.reoffer") this.connect(message.home, message.receive);
    });
    session.onPost.subscribe((onPost) => {
      if (!onPost && !session.wanted.value) this.stop();
    });
  }

  start() {
    this.stop();
    const want = this.session.board.value.receive;
    for (let home = 0; home < want.homes; home += 1) void this.connect(home, want);
  }

  stop() {
    for (const home of this.homes.keys()) this.drop(home);
    this.homes.clear();
  }

  /**
   * The track of a line.
   * @param {LinePart} line
   * @returns {MediaStreamTrack | null}
   */
  track(line) {
    void this.version.value; // whoever asks is told when there is another
    return this.homes.get(line.home)?.peer?.track(line.kind, line.index) ?? null;
  }

  /**
   * @private
   * @param {number} home
   * @param {LineWant} want
   */
  async connect(home, want) {
    this.drop(home);
    const { connection } = this.session;
    if (!connection) return;
    const peer = this.tools.makePeer({
      publish: null,
      audioLines: want.audio,
      videoLines: want.video,
      offer: offerOver(connection, home),
      check: (limitMs) => connection.check(limitMs),
      onState: (state) => {
        if (state === "lost" && this.has(home, peer)) this.again(home);
      },
    });
    this.homes.set(home, { want, peer });
    try {
      await peer.start();
    } catch {
      if (this.has(home, peer)) this.again(home);
      return;
    }
    if (this.has(home, peer)) this.version.value += 1;
  }

  /**
   * @private
   * @param {number} home
   * @param {Peer} peer
   */
  has(home, peer) {
    return this.homes.get(home)?.peer === peer;
  }

  /**
   * @private
   * @param {number} home
   */
  drop(home) {
    const held = this.homes.get(home);
    if (!held) return;
    this.tools.clearTimer(held.timer);
    const { peer } = held;
    held.peer = null;
    peer?.close();
  }

  /**
   * A new socket makes its own start; this is for a connection that failed while the socket stands.
   * @private
   * @param {number} home
   */
  again(home) {
    const held = this.homes.get(home);
    if (!held) return;
    this.tools.clearTimer(held.timer);
    held.timer = this.tools.setTimer(() => {
      if (this.session.onPost.value) void this.connect(home, held.want);
    }, RETRY_MS);
  }
}
