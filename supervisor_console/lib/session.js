// @ts-check
/** A staff page's connection: its board, its post, its clock, and commands whose refusals are worded. */

import { batch, computed, signal } from "@preact/signals";

import { TicketRefused, connect } from "../../web/lib/signalling.js";
import { EMPTY, applyMessage, forgetEnded } from "./board.js";

/** @typedef {import("./board.js").Board} Board */
/** @typedef {import("../../web/lib/protocol.js").Post} Post */
/** @typedef {import("../../web/lib/protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("../../web/lib/signalling.js").Command} Command */
/** @typedef {import("../../web/lib/signalling.js").Answer} Answer */
/** @typedef {import("../../web/lib/signalling.js").State} State */
/** @typedef {{ scope: string[], hall_id: string | null, guidance: string }} Station What is asked for: establishments, the hall of a technical post, the guidance acknowledged. */
/** @typedef {{ code: string, id: number }} Notice A refusal to be read; `id` tells one from the next. */

const STALE_MS = 3000; // no news for so long: nothing on the page is claimed any more (NOTES-console 1.5)
const ENDED_KEPT_MS = 20_000; // an ended call keeps its tile so long, so that its end is seen
const TICK_MS = 500;

export class Session {
  /**
   * @param {Post} post Which post this page serves.
   * @param {() => number} [clock] Milliseconds of this page's own clock.
   */
  constructor(post, clock = () => performance.now()) {
    this.post = post;
    this.clock = clock;
    /** @type {import("@preact/signals").Signal<Board>} */
    this.board = signal(EMPTY);
    /** @type {import("@preact/signals").Signal<State>} */
    this.link = signal(/** @type {State} */ ("connecting"));
    /** @type {import("@preact/signals").Signal<string | null>} */
    this.bye = signal(/** @type {string | null} */ (null));
    /** @type {import("@preact/signals").Signal<Station | null>} */
    this.wanted = signal(/** @type {Station | null} */ (null));
    /** @type {import("@preact/signals").Signal<Notice | null>} */
    this.refusal = signal(/** @type {Notice | null} */ (null));
    /** How the last handover ended, until it is read. */
    this.over = signal(/** @type {import("../../web/lib/protocol.js").HandoverOver | null} */ (null));
    /** Why this page is off its post, where that was not its own word. */
    this.left = signal(/** @type {import("../../web/lib/protocol.js").PostLeftMessage | null} */ (null));
    /** Whether a post was held at this page and is not any more. */
    this.off = signal(false);
    /** The broker's time in ms since 1970, every half second. */
    this.now = signal(Date.now());
    /** This page's clock, at the same beat. */
    this.beat = signal(clock());
    this.stale = computed(() => {
      const heard = this.board.value.heardAt;
      return heard !== null && this.beat.value - heard > STALE_MS;
    });
    this.silentFor = computed(() => Math.floor((this.beat.value - (this.board.value.heardAt ?? this.beat.value)) / 1000));
    this.onPost = computed(() => this.board.value.holds?.post === this.post);
    this.hearers = /** @type {((message: ServerMessage) => void)[]} */ ([]);
    this.signedOn = /** @type {(() => void)[]} */ ([]);
    this.notices = 0;
  }

  start() {
    this.connection = connect({
      getTicket: ticket,
      onMessage: (message) => this.hear(message),
      onState: (state, code) => this.linked(state, code),
      silenceLimitMs: 8000,
    });
    setInterval(() => this.tick(), TICK_MS);
  }

  /**
   * Do something. A refusal is shown and returned; nothing is returned where it could not be sent.
   * @param {Command} command
   * @param {{ resend?: boolean }} [how]
   * @returns {Promise<Answer | null>}
   */
  async act(command, how) {
    try {
      const answer = await this.connection?.command(command, how);
      if (answer?.type === "refused") this.refuse(answer.code);
      return answer ?? null;
    } catch {
      return null; // the page was closed for good, or an offer lost its socket: both are shown elsewhere
    }
  }

  /**
   * Show a refusal until it is read.
   * @param {string} code
   */
  refuse(code) {
    this.notices += 1;
    this.refusal.value = { code, id: this.notices };
  }

  /**
   * Take the post, now and after every lost socket until `signOff`.
   * @param {Station} station
   * @returns {Promise<import("../../web/lib/protocol.js").RefusedMessage | null>} The refusal.
   */
  async signOn(station) {
    const message = /** @type {const} */ ({ type: "post.sign_on", post: this.post, ...station });
    let answer;
    try {
      answer = await this.connection?.command(message, { resend: false });
    } catch {
      if (this.wanted.value) return null; // the next socket asks again by itself
      return { type: "refused", key: "", code: "unavailable", checks: [] };
    }
    if (answer?.type === "refused") {
      this.wanted.value = null;
      return answer;
    }
    this.wanted.value = station;
    for (const run of this.signedOn) run();
    return null;
  }

  async signOff() {
    this.wanted.value = null;
    this.off.value = true;
    await this.act({ type: "post.sign_off" });
  }

  /**
   * @private
   * @param {ServerMessage} message
   */
  hear(message) {
    batch(() => {
      this.board.value = applyMessage(this.board.value, message, this.clock());
      if (message.type === "welcome") this.comeBack();
      if (message.type === "handover.over") this.over.value = message;
      if (message.type === "post.left") this.relieved(message);
    });
    for (const hearer of this.hearers) hearer(message);
  }

  /**
   * The post is somebody else's now: the next socket does not take it again.
   * @private
   * @param {import("../../web/lib/protocol.js").PostLeftMessage} message
   */
  relieved(message) {
    this.wanted.value = null;
    this.off.value = true;
    this.left.value = message;
  }

  /** A new socket holds no post: take the one that this page had. Before any command that waits for the socket. */
  async comeBack() {
    const station = this.wanted.value;
    if (!station) return;
    const refused = await this.signOn(station);
    if (refused) this.refuse(refused.code);
  }

  /**
   * @private
   * @param {State} state
   * @param {string | undefined} code
   */
  linked(state, code) {
    this.link.value = state;
    if (state !== "closed") return;
    this.bye.value = code ?? "shutdown";
    if (code === "signed_out") location.assign("/sign-in");
  }

  /** @private */
  tick() {
    batch(() => {
      this.beat.value = this.clock();
      this.now.value = this.connection?.now() ?? Date.now();
      this.board.value = forgetEnded(this.board.value, this.beat.value, ENDED_KEPT_MS);
    });
  }
}

/** @returns {Promise<string>} */
async function ticket() {
  const answer = await fetch("/api/tickets", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
  if (answer.status === 401 || answer.status === 403) throw new TicketRefused("signed_out");
  if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);
  return (await answer.json()).ticket;
}
