// @ts-check
/** One end of a call: its socket, its devices and its peer connection, and what the page may know of them as signals. */

import { batch, computed, effect, signal } from "@preact/signals";
import { faceOf } from "./face.js";
import { DeviceProblem, openDevices, openStandIns } from "./devices.js";
import { offerOver, Peer } from "./peer.js";
import { connect } from "./signalling.js";

/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./protocol.js").VisitMessage} Visit */
/** @typedef {import("./protocol.js").LinePart} LinePart */
/** @typedef {import("./protocol.js").WarningMessage} Warning */
/** @typedef {Pick<import("./protocol.js").MediaQuality, "picture" | "dropped">} Quality */
/** @typedef {import("./protocol.js").Step} Step */
/** @typedef {import("./devices.js").Local} Local */
/** @typedef {import("./devices.js").Choice} Choice */
/** @typedef {import("./face.js").Face} Face */

/**
 * @typedef {object} Tools What a leg is made with; tests bring their own.
 * @property {typeof connect} connect
 * @property {(choice: Choice, label: string) => Promise<Local>} openDevices
 * @property {(options: import("./peer.js").PeerOptions) => Peer} makePeer
 * @property {(run: () => void, ms: number) => any} setTimer
 */

/** @typedef {{ state: "idle" | "opening" | "ready" | "failed", local: Local | null, problem: DeviceProblem | null }} Media */
/** @typedef {{ legId: string | null, track: MediaStreamTrack }} Far A picture or a sound that arrives. */

const GONE_MS = 4000; // a socket away for less is not worth a word
const REBUILD_MS = [0, 500, 1500, 3000]; // before each new peer connection in a row
const WHOLE = /** @type {Quality} */ ({ picture: "best", dropped: [] });
const NEEDS_MEDIA = new Set(["lobby", "call", "paused"]);

/** @type {Tools} */
const REAL = {
  connect,
  openDevices,
  makePeer: (options) => new Peer(options),
  setTimer: (run, ms) => setTimeout(run, ms),
};

export class Leg {
  /**
   * @param {() => Promise<string>} getTicket
   * @param {string} label Names this end on its test picture.
   * @param {Partial<Tools>} [tools]
   */
  constructor(getTicket, label, tools = {}) {
    this.tools = { ...REAL, ...tools };
    this.label = label;
    this.link = signal(/** @type {import("./signalling.js").State} */ ("connecting"));
    this.linkGone = signal(false);
    /** Why the socket is closed for good. */
    this.closedCode = signal(/** @type {string | null} */ (null));
    this.welcome = signal(/** @type {import("./protocol.js").Welcome | null} */ (null));
    this.visit = signal(/** @type {Visit | null} */ (null));
    this.media = signal(/** @type {Media} */ ({ state: "idle", local: null, problem: null }));
    this.peerState = signal(/** @type {import("./peer.js").PeerState | "none"} */ ("none"));
    this.wasConnected = signal(false);
    /** What the receive lines carry; null until the broker says. */
    this.lines = signal(/** @type {LinePart[] | null} */ (null));
    /** What this page's own link carries of the far pictures, as the broker last said. */
    this.quality = signal(/** @type {Quality} */ (WHOLE));
    this.warnings = signal(/** @type {Warning[]} */ ([]));
    this.muted = signal(false);
    this.cameraOff = signal(false);
    /** The code of the last refusal, for the person to read. */
    this.refused = signal(/** @type {string | null} */ (null));

    this.face = computed(() => this.findFace());
    this.pictures = computed(() => this.arriving("video"));
    this.sounds = computed(() => this.arriving("audio"));
    /** Whether the link is too weak for any picture. */
    this.soundOnly = computed(() => this.quality.value.picture === "none");

    /** @type {Peer | null} */
    this.peer = null;
    this.rebuilds = 0;
    this.rebuildDue = false;
    this.loss = {}; // a new one for every change of the socket
    this.entered = false;
    /** Whether staff were told that the devices do not work. */
    this.troubled = false;
    this.choice = /** @type {Choice} */ ({});
    this.connection = this.tools.connect({
      getTicket,
      onMessage: (message) => this.hear(message),
      onState: (state, code) => this.linkChanged(state, code),
    });
    effect(() => this.applySending());
  }

  /** The broker's time, in ms since 1970. */
  now() {
    return this.connection.now();
  }

  // --- what the person does ---------------------------------------------------

  /** Accept the notice that the broker showed. */
  async accept() {
    const notice = this.visit.value?.notice;
    if (notice) await this.ask({ type: "consent.accept", notice_version: notice.version });
  }

  /**
   * Open the camera and microphone; `choice` names devices, and stays for later.
   * @param {Choice} [choice]
   */
  async open(choice) {
    this.choice = { ...this.choice, ...choice };
    const before = this.media.value.local;
    if (this.media.value.state === "opening") return;
    this.media.value = { state: "opening", local: before, problem: null };
    try {
      this.have(await this.tools.openDevices(this.choice, this.label));
      before?.stop();
    } catch (reason) {
      before?.stop();
      this.dropPeer();
      const problem = reason instanceof DeviceProblem ? reason : new DeviceProblem("busy");
      this.media.value = { state: "failed", local: null, problem };
      void this.reportProblem(problem);
    }
  }

  /** Take the demo's test picture and tone. */
  openStandIns() {
    this.have(openStandIns(this.label));
  }

  /** Say that camera and microphone work. */
  async reportCheck() {
    const local = this.media.value.local;
    if (!local) return;
    await this.ask({ type: "check.report", camera: local.camera, microphone: local.microphone });
  }

  /**
   * Staff are told that it did not work, before the person has to say so. A refusal of this is nobody's to read.
   * @private
   * @param {DeviceProblem} problem
   */
  async reportProblem(problem) {
    this.troubled = !this.welcome.value?.demo; // there a test picture is offered instead
    if (!this.troubled) return;
    const found = problem.code === "blocked" ? "blocked" : "none";
    await this.connection.command({ type: "check.report", camera: found, microphone: found }).catch(() => null);
  }

  leave() {
    return this.ask({ type: "leg.leave" });
  }

  /** The outside caller does not want to be looked at. */
  refuseLooks() {
    return this.ask({ type: "look.refuse" });
  }

  /** @param {boolean} raised Whether somebody here asks for staff; false: they need nobody any more. */
  help(raised) {
    return this.ask({ type: "leg.help", raised });
  }

  /** Make a new connection now: the person asked for it. */
  rejoin() {
    this.rebuilds = 0;
    if (this.link.value === "open") this.rebuild();
    else this.connection.restart();
  }

  /** @param {string} warningId */
  warningShown(warningId) {
    this.connection.send({ type: "warning.shown", warning_id: warningId });
  }

  /** @param {string} warningId */
  warningRead(warningId) {
    this.warnings.value = this.warnings.value.filter((warning) => warning.warning_id !== warningId);
  }

  // --- what the broker says -----------------------------------------------------

  /**
   * @private
   * @param {ServerMessage} message
   */
  hear(message) {
    switch (message.type) {
      case "welcome":
        this.welcome.value = message;
        this.lines.value = null;
        this.quality.value = WHOLE;
        this.entered = false;
        this.dropPeer(); // a new socket needs a new offer; the old connection belongs to the old one
        this.progress("link_opened");
        break;
      case "visit":
        this.heardVisit(message);
        break;
      case "media.lines":
        this.lines.value = message.lines;
        break;
      case "media.quality":
        this.quality.value = message;
        break;
      case "media.reoffer":
        if (this.welcome.value) this.welcome.value = { ...this.welcome.value, receive: message.receive };
        this.dropPeer();
        this.rebuilds = 0; // the relay is there again: no wait of a connection that failed before holds this one up
        this.rebuildDue = false;
        this.follow();
        break;
      case "warning":
        if (!this.warnings.value.some((known) => known.warning_id === message.warning_id)) {
          this.warnings.value = [...this.warnings.value, message];
        }
        break;
    }
  }

  /**
   * @private
   * @param {Visit} visit
   */
  heardVisit(visit) {
    const other = this.visit.value?.call_id !== visit.call_id;
    batch(() => {
      if (other) {
        this.warnings.value = [];
        this.wasConnected.value = false;
        this.entered = false;
      }
      this.visit.value = visit;
    });
    if (visit.screen === "ended" || visit.screen === "none") this.release();
    else this.follow();
  }

  /**
   * @private
   * @param {import("./signalling.js").State} state
   * @param {string} [code]
   */
  linkChanged(state, code) {
    batch(() => {
      this.link.value = state;
      if (state === "open") this.linkGone.value = false;
      if (state === "closed") this.closedCode.value = code ?? "closed";
    });
    if (state === "closed") this.release();
    const loss = (this.loss = {});
    if (state !== "reconnecting") return;
    this.tools.setTimer(() => {
      if (this.loss === loss) this.linkGone.value = true;
    }, GONE_MS);
  }

  // --- what follows from it -------------------------------------------------------

  /** Do the next thing that the broker's screen and our own state call for. @private */
  follow() {
    const visit = this.visit.value;
    const { state } = this.media.value;
    if (!visit || this.link.value !== "open" || !NEEDS_MEDIA.has(visit.screen)) return;
    if (state === "idle") return void this.open();
    if (state !== "ready") return;
    if (visit.screen === "lobby" && !this.entered) {
      this.entered = true;
      void this.ask({ type: "lobby.enter" });
    }
    if (!this.peer && !this.rebuildDue) void this.startPeer();
  }

  /** @private */
  async startPeer() {
    const local = this.media.value.local;
    const receive = this.welcome.value?.receive;
    if (!local || !receive) return;
    const peer = this.tools.makePeer({
      publish: local.stream,
      audioLines: receive.audio,
      videoLines: receive.video,
      offer: offerOver(this.connection),
      check: (limitMs) => this.connection.check(limitMs),
      onState: (state) => this.peerChanged(peer, state),
    });
    this.peer = peer;
    this.progress("connecting");
    try {
      await peer.start();
    } catch {
      if (this.peer === peer) this.rebuild(); // refused, or the socket went: try again, later each time
    }
  }

  /**
   * @private
   * @param {Peer} peer
   * @param {import("./peer.js").PeerState} state
   */
  peerChanged(peer, state) {
    if (this.peer !== peer) return;
    this.peerState.value = state;
    if (state === "connected") {
      this.rebuilds = 0;
      this.wasConnected.value = true;
      this.progress("connected");
    }
    if (state === "lost") this.rebuild();
  }

  /** @private */
  rebuild() {
    this.dropPeer();
    const wait = REBUILD_MS[Math.min(this.rebuilds, REBUILD_MS.length - 1)] ?? 0;
    this.rebuilds += 1;
    this.rebuildDue = true;
    this.tools.setTimer(() => {
      this.rebuildDue = false;
      this.follow();
    }, wait);
  }

  /** @private */
  dropPeer() {
    const peer = this.peer;
    this.peer = null;
    this.peerState.value = "none";
    peer?.close();
  }

  /** Let go of the line and of the devices: the light of the camera goes out. @private */
  release() {
    this.dropPeer();
    this.media.value.local?.stop();
    this.media.value = { state: "idle", local: null, problem: null };
  }

  /**
   * @private
   * @param {Local} local
   */
  have(local) {
    for (const track of local.stream.getTracks()) {
      track.onended = () => void this.open(); // unplugged, or taken by the system: ask again
    }
    this.media.value = { state: "ready", local, problem: null };
    this.progress("media_chosen");
    const past = this.visit.value?.screen === "call" || this.visit.value?.screen === "paused" || this.visit.value?.screen === "lobby";
    if (this.troubled && past) void this.reportCheck(); // before that the person says so, having seen their own picture
    this.troubled = false;
    if (this.peer) {
      void this.peer.replace("video", local.video);
      void this.peer.replace("audio", local.audio);
    }
    this.follow();
  }

  /** Send nothing but black and silence where the person or a pause says so; the relay shuts its gates besides. @private */
  applySending() {
    const local = this.media.value.local;
    const screen = this.visit.value?.screen;
    const held = screen === "paused" || screen === "ended";
    if (!local) return;
    local.audio.enabled = !held && !this.muted.value;
    const shows = !held && !this.cameraOff.value;
    if (shows && !local.video.enabled) void this.peer?.refresh();
    local.video.enabled = shows;
  }

  /**
   * @private
   * @param {"audio" | "video"} kind
   * @returns {Far[]}
   */
  arriving(kind) {
    if (this.peerState.value !== "connected" || this.face.value !== "call" || !this.peer) return [];
    const count = this.welcome.value?.receive[kind] ?? 0;
    const lines = this.lines.value;
    const dropped = kind === "video" ? this.quality.value.dropped : [];
    /** @type {Far[]} */
    const found = [];
    for (let index = 0; index < count; index += 1) {
      const line = lines?.find((one) => one.kind === kind && one.index === index);
      const track = this.peer.track(kind, index);
      if (track && (!lines || line?.leg_id) && !dropped.includes(index)) found.push({ legId: line?.leg_id ?? null, track });
    }
    return found;
  }

  /** @private @returns {Face} */
  findFace() {
    return faceOf({
      link: this.link.value,
      linkGone: this.linkGone.value,
      visit: this.visit.value,
      media: this.media.value.state,
      peer: this.peerState.value,
      wasConnected: this.wasConnected.value,
    });
  }

  /**
   * @private
   * @param {Step} step
   */
  progress(step) {
    this.connection.send({ type: "leg.progress", step });
  }

  /**
   * @private
   * @param {import("./signalling.js").Command} command
   */
  async ask(command) {
    this.refused.value = null;
    try {
      const answer = await this.connection.command(command);
      if (answer.type === "refused") this.refused.value = answer.code;
      return answer.type === "ok";
    } catch {
      return false; // closed for good: the page's face says why
    }
  }
}
