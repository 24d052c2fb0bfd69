// @ts-check
/** One peer connection with the relay: what the page sends and receives, in lines of its own. The page always offers. */

import { addPicture, beginAfresh, encodingsFor, prefer, settleForOne, withSoundRepair } from "./encodings.js";
import { JitterBuffer } from "./jitter_buffer.js";
import { Pulse } from "./pulse.js";

/** @typedef {import("./protocol.js").MediaAnswer} MediaAnswer */
/** @typedef {import("./protocol.js").RefusedMessage} RefusedMessage */
/** @typedef {import("./encodings.js").Kind} Kind */

/**
 * `lost` means: make another one. It comes once: after a failure, after `disconnected` has lasted 3 s, or when nothing
 * comes any more while the broker still answers.
 * @typedef {"new" | "offering" | "connecting" | "connected" | "interrupted" | "lost" | "closed"} PeerState
 */

/**
 * @typedef {object} PeerOptions
 * @property {MediaStream | null} publish What to send; none: a page that only watches.
 * @property {number} audioLines How many sounds to receive at once.
 * @property {number} videoLines How many pictures to receive at once.
 * @property {import("./encodings.js").VideoCodec} [videoCodec] What to send a picture in: VP8 where nothing is said.
 * @property {(sdp: string) => Promise<MediaAnswer>} offer Takes the offer to the relay. Rejects where it is refused.
 * @property {(limitMs?: number) => Promise<void>} check Returns when the broker has answered on the page's socket.
 * @property {(state: PeerState) => void} [onState]
 */

const DISCONNECTED_LIMIT_MS = 3000;
const CONNECT_LIMIT_MS = 10000;
const QUIET_MS = 1200; // who sends hears of it: the relay reports ten times a second what comes, and each second to all
const LOOK_MS = 1000; // at how the sounds come
const QUIET_WATCHER_MS = 6000; // who only watches may be sent nothing for long; its own checks are answered each 2.5 s

/** The relay refused the offer; `code` is its reason. */
export class OfferRefused extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export class Peer {
  /** @param {PeerOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {PeerState} */
    this.state = "new";
    this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
    /** @type {Map<Kind, RTCRtpSender>} */
    this.senders = new Map();
    /** Receive lines by `kind index`, known once the relay has answered. @type {Map<string, RTCRtpTransceiver>} */
    this.lines = new Map();
    /** @type {number | undefined} */
    this.timer = undefined;
    /** @type {number | undefined} */
    this.looking = undefined;
    this.pulse = new Pulse({
      heard: () => this.heard(),
      check: options.check,
      quietMs: options.publish ? QUIET_MS : QUIET_WATCHER_MS,
      onDead: () => this.end("lost"),
    });
    this.pc.oniceconnectionstatechange = () => this.check();
    this.pc.onconnectionstatechange = () => this.check();
  }

  /**
   * Offer, and take the relay's answer. The relay is ICE-lite and its candidates stand in the answer, so nothing waits
   * for ours: it learns them from our checks. Gathering begins after the answer, which may name TURN servers.
   */
  async start() {
    this.change("offering");
    await this.addLines();
    if (this.isOver()) return;
    const plain = await this.pc.createOffer();
    const offer = { type: plain.type, sdp: withSoundRepair(plain.sdp ?? "") };
    const answer = await this.options.offer(offer.sdp);
    if (this.isOver()) return;
    this.useServers(answer.ice_servers);
    await this.pc.setLocalDescription(offer).catch(() => this.pc.setLocalDescription(plain));
    if (this.isOver()) return;
    await this.pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    const picture = this.senders.get("video");
    if (picture) await settleForOne(picture);
    if (this.isOver()) return;
    for (const { mid, kind, index } of answer.lines) {
      const transceiver = this.pc.getTransceivers().find((one) => one.mid === mid);
      if (transceiver) this.lines.set(`${kind} ${index}`, transceiver);
    }
    this.mindSounds();
    this.change("connecting");
    this.wait(CONNECT_LIMIT_MS);
    this.check();
  }

  /**
   * The track that a receive line brings. It lives as long as the connection, whatever the line carries.
   * @param {Kind} kind
   * @param {number} index
   * @returns {MediaStreamTrack | null}
   */
  track(kind, index) {
    return this.lines.get(`${kind} ${index}`)?.receiver.track ?? null;
  }

  /**
   * Send another track in place of the one of its kind (a new device), or nothing.
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  async replace(kind, track) {
    await this.senders.get(kind)?.replaceTrack(track);
  }

  /** Let the picture's encoder forget the black that it sent. */
  async refresh() {
    const picture = this.senders.get("video");
    if (picture) await beginAfresh(picture).catch(() => this.end("lost"));
  }

  /** @returns {Promise<RTCStatsReport>} */
  stats() {
    return this.pc.getStats();
  }

  close() {
    this.end("closed");
  }

  /** @private @returns {Promise<number>} A number that changes with whatever comes, answers to our own checks included. */
  async heard() {
    let sum = 0;
    let provesSilence = this.options.publish !== null;
    for (const one of (await this.stats()).values()) {
      if (one.type !== "candidate-pair") continue;
      provesSilence ||= one.responsesReceived !== undefined;
      sum += (one.bytesReceived ?? 0) + (one.responsesReceived ?? 0);
    }
    return provesSilence ? sum : performance.now(); // Firefox tells of no answers, and a watcher may be sent nothing else
  }

  /**
   * @private
   * @param {import("./protocol.js").IceServer[]} iceServers
   */
  useServers(iceServers) {
    if (iceServers.length) this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers });
  }

  /** @private */
  async addLines() {
    const { publish, audioLines, videoLines, videoCodec = "VP8" } = this.options;
    for (const track of publish?.getTracks() ?? []) {
      const kind = /** @type {Kind} */ (track.kind);
      const streams = publish ? [publish] : [];
      const transceiver =
        kind === "video"
          ? await addPicture(this.pc, track, streams, encodingsFor(track.getSettings(), navigator.hardwareConcurrency))
          : this.pc.addTransceiver(track, { direction: "sendonly", streams });
      prefer(transceiver, kind, videoCodec);
      this.senders.set(kind, transceiver.sender);
    }
    for (const [kind, count] of /** @type {[Kind, number][]} */ ([["audio", audioLines], ["video", videoLines]])) {
      for (let at = 0; at < count; at += 1) {
        prefer(this.pc.addTransceiver(kind, { direction: "recvonly" }), kind, videoCodec);
      }
    }
  }

  /** Let every sound wait for what is sent again. @private */
  mindSounds() {
    const sounds = [...this.lines].filter(([line]) => line.startsWith("audio"));
    const buffers = sounds.map(([, { receiver }]) => new JitterBuffer(receiver));
    const look = () => buffers.forEach((buffer) => void buffer.look(performance.now()));
    this.looking = window.setInterval(look, LOOK_MS);
  }

  /** @private */
  check() {
    if (this.isOver() || this.state === "new" || this.state === "offering") return;
    const ice = this.pc.iceConnectionState;
    const whole = this.pc.connectionState;
    if (ice === "failed" || whole === "failed" || whole === "closed") return this.end("lost");
    if (ice === "disconnected") {
      if (this.state === "interrupted") return;
      this.change("interrupted");
      this.wait(DISCONNECTED_LIMIT_MS);
    } else if (whole === "connected") {
      this.unwait();
      this.pulse.start();
      this.change("connected");
    }
  }

  /**
   * @private
   * @param {number} ms
   */
  wait(ms) {
    this.unwait();
    this.timer = window.setTimeout(() => this.end("lost"), ms);
  }

  /** @private */
  unwait() {
    window.clearTimeout(this.timer);
  }

  /**
   * @private
   * @param {"lost" | "closed"} state
   */
  end(state) {
    if (this.isOver()) return;
    this.unwait();
    window.clearInterval(this.looking);
    this.pulse.stop();
    this.pc.oniceconnectionstatechange = null;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
    this.change(state);
  }

  isOver() {
    return this.state === "lost" || this.state === "closed";
  }

  /**
   * @private
   * @param {PeerState} state
   */
  change(state) {
    if (this.state === state) return;
    this.state = state;
    this.options.onState?.(state);
  }
}

/**
 * Make an `offer` function out of a connection's commands.
 * @param {import("./signalling.js").Connection} connection
 * @param {number} [home] Of a console: at which of the relay's homes.
 * @returns {(sdp: string) => Promise<MediaAnswer>}
 */
export function offerOver(connection, home = 0) {
  return async (sdp) => {
    const answer = await connection.command({ type: "media.offer", sdp, home }, { resend: false });
    if (answer.type === "media.answer") return answer;
    throw new OfferRefused(answer.type === "refused" ? answer.code : "bad_offer");
  };
}
