// @ts-check
/** What the technical post does and sees: the seat in hand and every action of its call. No picture and no sound. */

import { batch, computed, effect, signal } from "@preact/signals";

import { t } from "../../web/lib/text.js";
import { mayClear, prisonerLeg } from "../lib/calls.js";

/** @typedef {import("../lib/session.js").Session} Session */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").SeatPart} SeatPart */
/** @typedef {import("../../web/lib/protocol.js").HoldPart} HoldPart */
/** @typedef {import("../../web/lib/protocol.js").PauseReason} PauseReason */
/** @typedef {import("../../web/lib/protocol.js").EndReason} EndReason */

/** @typedef {"asked" | "sure"} Ending How far the two steps of an end have come. */

export class Hall {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.at = signal(/** @type {string | null} */ (null));
    this.ticks = signal(/** @type {ReadonlySet<string>} */ (new Set()));
    this.ending = signal(/** @type {Ending | null} */ (null));
    this.unrecorded = signal(false);
    this.leaving = signal(false);
    this.said = signal("");
    this.touched = false;
    this.seats = computed(() => {
      const board = session.board.value;
      const mine = [...board.seats.values()].filter((seat) => seat.hall_id === board.holds?.hall_id);
      return mine.sort((one, other) => one.number - other.number);
    });
    effect(() => {
      if (this.at.value !== null && !session.board.value.seats.has(this.at.value)) this.close();
    });
  }

  /** @returns {SeatPart | undefined} The seat in hand. */
  get seat() {
    return this.at.value === null ? undefined : this.session.board.value.seats.get(this.at.value);
  }

  /**
   * @param {SeatPart | undefined} seat
   * @returns {CallPart | undefined} The call that is on at the seat, or the one that ended there last.
   */
  callAt(seat) {
    if (!seat) return undefined;
    const { calls } = this.session.board.value;
    if (seat.call_id) return calls.get(seat.call_id);
    return undefined;
  }

  /** @param {string} seatId */
  open(seatId) {
    batch(() => {
      this.at.value = seatId;
      this.forget();
    });
  }

  close() {
    batch(() => {
      this.at.value = null;
      this.forget();
    });
  }

  /** @param {string} tick */
  tick(tick) {
    const ticks = new Set(this.ticks.value);
    if (!ticks.delete(tick)) ticks.add(tick);
    this.ticks.value = ticks;
  }

  /** @param {CallPart} call */
  async verify(call) {
    const leg = prisonerLeg(call);
    if (!leg) return;
    const people = leg.people.map((person) => person.id);
    const answer = await this.session.act({ type: "leg.verify", call_id: call.id, leg_id: leg.id, people, version: call.seq });
    if (answer?.type !== "ok") return;
    this.ticks.value = new Set();
    this.say(t("hall.verify.said", { seat: call.seat }));
  }

  /** @param {CallPart} call */
  async pause(call) {
    const answer = await this.session.act({ type: "call.pause", call_id: call.id });
    if (answer?.type === "ok") this.unrecorded.value = !answer.recorded;
  }

  /** @param {CallPart} call @param {HoldPart} hold @param {PauseReason} reason */
  giveReason(call, hold, reason) {
    return this.session.act({ type: "hold.reason", call_id: call.id, hold_id: hold.id, reason });
  }

  /** @param {CallPart} call @param {HoldPart} hold */
  undo(call, hold) {
    return this.session.act({ type: "hold.undo", call_id: call.id, hold_id: hold.id });
  }

  /** @param {CallPart} call @param {HoldPart} hold */
  relabel(call, hold) {
    return this.session.act({ type: "hold.relabel", call_id: call.id, hold_id: hold.id });
  }

  /** @param {CallPart} call @param {HoldPart} hold */
  clear(call, hold) {
    if (!mayClear(hold, "supervisor")) return Promise.resolve(null);
    return this.session.act({ type: "hold.clear", call_id: call.id, hold_id: hold.id, version: call.seq });
  }

  /** @param {CallPart} call @param {EndReason} reason */
  async end(call, reason) {
    if (this.ending.value !== "sure") return;
    const answer = await this.session.act({ type: "call.end", call_id: call.id, reason });
    if (answer?.type === "ok") this.ending.value = null;
  }

  /** @param {string} words */
  say(words) {
    this.said.value = words;
  }

  /**
   * Take an alert, or close it.
   * @param {string} id
   * @param {"take" | "done" | "no_issue"} choice
   */
  answer(id, choice) {
    if (choice === "take") return this.session.act({ type: "alert.ack", alert_id: id });
    return this.session.act({ type: "alert.clear", alert_id: id, outcome: choice === "done" ? "dealt" : "no_issue" });
  }

  /** @private */
  forget() {
    this.ticks.value = new Set();
    this.ending.value = null;
    this.unrecorded.value = false;
  }
}
