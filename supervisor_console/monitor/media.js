// @ts-check
/** The console's one peer connection: a fixed pool of receive lines, made anew when it is lost (wall.md 3). */

import { signal } from "@preact/signals";

import { Peer, offerOver } from "../../web/lib/peer.js";

/** @typedef {import("../lib/session.js").Session} Session */
/** @typedef {import("../../web/lib/peer.js").PeerState} PeerState */

const RETRY_MS = 1000;

export class Media {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Peer | null} */
    this.peer = null;
    /** @type {import("@preact/signals").Signal<PeerState>} */
    this.state = signal(/** @type {PeerState} */ ("new"));
    /** Rises with every connection: the tracks are others then. */
    this.version = signal(0);
    /** @type {number | undefined} */
    this.timer = undefined;
    session.signedOn.push(() => this.start());
    session.hearers.push((message) => {
      if (message.type === "media.reoffer") this.start();
    });
    session.onPost.subscribe((onPost) => {
      if (!onPost && !session.wanted.value) this.stop();
    });
  }

  async start() {
    const { session } = this;
    this.stop();
    if (!session.connection) return;
    const { audio, video } = session.board.value.receive;
    const peer = new Peer({
      publish: null,
      audioLines: audio,
      videoLines: video,
      offer: offerOver(session.connection),
      onState: (state) => this.changed(peer, state),
    });
    this.peer = peer;
    try {
      await peer.start();
    } catch {
      if (this.peer === peer) this.again();
      return;
    }
    if (this.peer === peer) this.version.value += 1;
  }

  stop() {
    window.clearTimeout(this.timer);
    const peer = this.peer;
    this.peer = null;
    peer?.close();
    this.state.value = "new";
  }

  /**
   * @param {"audio" | "video"} kind
   * @param {number | null} index
   * @returns {MediaStreamTrack | null}
   */
  track(kind, index) {
    void this.version.value; // whoever asks is told when there is another
    return index === null ? null : (this.peer?.track(kind, index) ?? null);
  }

  /**
   * @private
   * @param {Peer} peer
   * @param {PeerState} state
   */
  changed(peer, state) {
    if (this.peer !== peer) return;
    this.state.value = state;
    if (state === "lost") this.again();
  }

  /** @private A new socket makes its own start; this is for a connection that failed while the socket stands. */
  again() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      if (this.session.onPost.value) this.start();
    }, RETRY_MS);
  }
}
