// @ts-check
/** What only the monitoring post does besides watching: notes, bookmarks, breaches, asking the hall, the line to it. */

import { t } from "../../web/lib/text.js";
import { attendOf } from "../lib/record.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").NoteCode} NoteCode */
/** @typedef {import("../../web/lib/protocol.js").BreachCategory} BreachCategory */
/** @typedef {import("../../web/lib/protocol.js").BreachOutcome} BreachOutcome */
/** @typedef {import("../../web/lib/protocol.js").AttendReason} AttendReason */
/** @typedef {import("../../web/lib/protocol.js").WarningState} WarningState */
/** @typedef {"note" | "breach" | "attend" | "line" | "record"} TaskPanel */

export const NOTES = /** @type {NoteCode[]} */ (["observation", "conduct", "welfare", "child", "people", "surroundings", "equipment", "other"]);
export const BREACHES = /** @type {BreachCategory[]} */ ([
  "unlisted_person",
  "child_alone",
  "nudity",
  "dress",
  "drugs_alcohol",
  "threats",
  "gang",
  "recording",
  "relayed_call",
  "public_place",
  "no_contact",
  "intimidation",
  "coded_talk",
  "contraband",
  "self_harm",
  "child_safeguarding",
  "tampering",
]);
export const BREACH_OUTCOMES = /** @type {BreachOutcome[]} */ (["warned", "paused", "ended", "no_action"]);
export const ATTEND_REASONS = /** @type {AttendReason[]} */ (["unlisted_person", "conduct", "welfare", "self_harm", "contraband", "equipment", "other"]);
/** Panels that stay when their call ends: what was seen is written down after it. */
export const AFTER_THE_END = new Set(["note", "breach", "record", "line"]);

export class TaskDesk {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
  }

  /** @param {import("../lib/keys.js").Action} action */
  do(action) {
    const id = this.desk.at.value;
    if (action.type === "bookmark") return void this.bookmark(id);
    if (action.type === "note" || action.type === "attend" || action.type === "line") this.open(action.type, id);
  }

  /** @param {TaskPanel} type @param {string | null} id */
  open(type, id) {
    const call = this.desk.callOf(id);
    if (!call || (call.phase === "ended" && !AFTER_THE_END.has(type))) return;
    if (type === "attend" && attendOf(this.desk.session.board.value.records, call.id)) return this.desk.say(t("monitor.task.attend.asked_already"));
    this.desk.panel.value = { type, callId: call.id };
  }

  /** @param {string | null} id */
  async bookmark(id) {
    const call = this.desk.callOf(id);
    if (!call || call.phase === "ended") return;
    const answer = await this.desk.session.act({ type: "call.bookmark", call_id: call.id });
    if (answer?.type === "ok") this.desk.say(t("monitor.task.bookmark.done"));
  }

  /** @param {string} callId @param {NoteCode} code @param {string} text */
  note(callId, code, text) {
    return this.done({ type: "call.note", call_id: callId, code, text }, "note");
  }

  /** @param {string} callId @param {BreachCategory} category @param {BreachOutcome} outcome @param {string} text */
  breach(callId, category, outcome, text) {
    return this.done({ type: "call.breach", call_id: callId, category, outcome, text }, "breach");
  }

  /** @param {string} callId @param {string} breachId */
  withdraw(callId, breachId) {
    return this.desk.session.act({ type: "breach.withdraw", call_id: callId, breach_id: breachId });
  }

  /** @param {string} callId @param {AttendReason} reason */
  attend(callId, reason) {
    return this.done({ type: "attend.request", call_id: callId, reason, text: "" }, "attend");
  }

  /** @param {string} callId @param {string} text */
  async say(callId, text) {
    const answer = await this.desk.session.act({ type: "call.say", call_id: callId, text });
    return answer?.type === "ok";
  }

  /** Give a warning again to the ends that have not shown it. @param {WarningState} warning */
  warnAgain(warning) {
    const legs = warning.legs.filter((leg) => leg.state === "missed").map((leg) => leg.leg_id);
    return this.desk.session.act({ type: "call.warn", call_id: warning.call_id, warning: warning.warning, legs });
  }

  /** A digit, where a list waits for one. @param {number} number */
  choose(number) {
    const panel = this.desk.panel.value;
    const reason = ATTEND_REASONS[number - 1];
    if (panel?.type === "attend" && reason) void this.attend(panel.callId, reason);
  }

  /**
   * @private
   * @param {import("../lib/session.js").Command} command
   * @param {TaskPanel} type
   * @returns {Promise<boolean>} Whether it is done: the panel closes, and what was written may go.
   */
  async done(command, type) {
    const answer = await this.desk.session.act(command);
    if (answer?.type !== "ok") return false;
    if (this.desk.panel.value?.type === type) this.desk.panel.value = null;
    this.desk.say(t(`monitor.task.${type}.done`));
    return true;
  }
}
