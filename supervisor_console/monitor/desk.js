// @ts-check
/** What the monitoring post does and sees: the view, the panel in use, and every action of a key or a button. */

import { batch, computed, effect, signal } from "@preact/signals";

import { t } from "../../web/lib/text.js";
import { nextDue } from "../lib/attention.js";
import { closeGaps, isOnWall } from "../lib/board.js";
import { isPresent, holdsOf, legToCheck, legWithAbsent, mayClear, nextToCheck, secondsLeft } from "../lib/calls.js";
import { REFUSALS, checksOf, hereOf, ticksOf } from "../lib/identity.js";
import { arrange, neighbour, turned } from "../lib/layout.js";
import { toggleLook } from "./privileged.js";
import { missingWords } from "./identity.js";
import { AFTER_THE_END, TaskDesk } from "./task_desk.js";
import { AlertDesk } from "./alert_desk.js";

/** @typedef {import("../lib/session.js").Session} Session */
/** @typedef {import("./media.js").Media} Media */
/** @typedef {import("../lib/shown.js").ShownMeter} ShownMeter */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").HoldPart} HoldPart */
/** @typedef {import("../../web/lib/protocol.js").PauseReason} PauseReason */
/** @typedef {import("../../web/lib/protocol.js").EndReason} EndReason */
/** @typedef {import("../../web/lib/protocol.js").Warning} Warning */
/** @typedef {import("../lib/keys.js").Action} Action */

/**
 * @typedef {{ type: "pause", callId: string, holdId: string | null, recorded: boolean }
 *   | { type: "warn", callId: string, chosen: Warning | null }
 *   | { type: "end", callId: string, sure: boolean }
 *   | { type: "identity", callId: string, legId: string, ticks: import("../lib/identity.js").AllTicks, refusing: boolean }
 *   | { type: import("./task_desk.js").TaskPanel, callId: string }
 *   | { type: "handover" } | { type: "leave" } | { type: "keys" }
 * } Panel
 */

export const REASONS = /** @type {PauseReason[]} */ ([
  "unlisted_person",
  "conduct",
  "dress",
  "second_device",
  "public_place",
  "welfare",
  "child_welfare",
  "equipment",
  "other",
]);
export const WARNINGS = /** @type {Warning[]} */ ([
  "language",
  "dress",
  "stay_in_view",
  "second_device",
  "unlisted_person",
  "five_minutes",
  "final",
]);
export const END_REASONS = /** @type {EndReason[]} */ ([
  "finished_early",
  "conduct",
  "unlisted_person",
  "security",
  "welfare",
  "equipment",
  "hall_closing",
  "identity",
]);

export class Desk {
  /**
   * @param {Session} session
   * @param {Media} media
   * @param {ShownMeter} meter
   */
  constructor(session, media, meter) {
    this.session = session;
    this.media = media;
    this.meter = meter;
    this.view = signal(/** @type {"wall" | "focus"} */ ("wall"));
    this.at = signal(/** @type {string | null} */ (null));
    /** What the wall has to stand on; the wall measures it. */
    this.room = signal(/** @type {import("../lib/layout.js").Room} */ ({ width: 1600, height: 900, zoom: 1, view: { width: 1920, height: 1050 } }));
    this.choice = signal(/** @type {import("../lib/layout.js").Choice} */ ("auto"));
    this.panel = signal(/** @type {Panel | null} */ (null));
    this.sound = signal(true);
    /** Where the eyes were before the last look at what was due. */
    this.lookedFrom = /** @type {{ at: string | null, view: "wall" | "focus", next: string } | null} */ (null);
    this.said = signal("");
    this.hidden = signal(/** @type {ReadonlyMap<string, "hidden" | "small">} */ (new Map()));
    this.alerts = new AlertDesk(this);
    /** Done when the last pause was answered: a key that is faster than the answer waits for it. */
    this.pausing = /** @type {Promise<unknown>} */ (Promise.resolve());
    /** The same for the reason, which a clear waits for. */
    this.reasoning = /** @type {Promise<unknown>} */ (Promise.resolve());
    this.focused = computed(() => (this.view.value === "focus" ? this.at.value : null));
    this.layout = computed(() => {
      return arrange(this.placed(), { choice: this.choice.value, at: this.at.value, focus: this.focused.value, room: this.room.value });
    });
    this.tasks = new TaskDesk(this);
    this.keepInOrder();
    this.tellFocus();
  }

  /** @returns {CallPart | undefined} The call that the keyboard is on. */
  get call() {
    return this.callOf(this.at.value);
  }

  /**
   * @param {string | null} id
   * @returns {CallPart | undefined}
   */
  callOf(id) {
    return id === null ? undefined : this.session.board.value.calls.get(id);
  }

  /** @param {Action} action */
  do(action) {
    switch (action.type) {
      case "tile":
        return this.focusPlace(action.number - 1);
      case "move":
        return this.move(action.way);
      case "page":
        return this.turnPage(action.step);
      case "choose":
        return this.choose(action.number);
      case "focus":
        return this.focus(this.at.value);
      case "back":
        return this.back();
      case "pause":
        return void this.pause(this.at.value);
      case "undo":
        return void this.undo();
      case "relabel":
        return void this.relabel();
      case "clear":
        return void this.clear(this.at.value);
      case "warn":
        return this.openWarn(this.at.value);
      case "end":
        return this.openEnd(this.at.value);
      case "identity":
        return this.openIdentity();
      case "confirm":
        return void (this.panel.value?.type === "warn" ? this.warn() : this.admit());
      case "alert":
        return this.alerts.next();
      case "sound":
        this.sound.value = !this.sound.value;
        return;
      case "look":
        return toggleLook(this, this.at.value);
      case "due":
        return this.lookNext();
      case "answer":
        return void this.answerCheck(null, action.letter);
      case "keys":
        this.panel.value = this.panel.value?.type === "keys" ? null : { type: "keys" };
        return;
      case "full":
        return fullScreen();
      default:
        return this.tasks.do(action);
    }
  }

  // --- where the eyes are --------------------------------------------------

  /** @param {string | null} id */
  focus(id) {
    if (!this.callOf(id)) return;
    if (this.session.board.value.check?.call_id === id) void this.answerCheck(id, null);
    batch(() => {
      this.at.value = id;
      this.view.value = "focus";
      if (this.panelIsFor(id)) return;
      this.panel.value = null;
    });
  }

  /** The call whose look is due next; once more, back to where the eyes were. */
  lookNext() {
    const was = this.lookedFrom;
    if (was && this.focused.value === was.next) {
      this.lookedFrom = null;
      batch(() => {
        this.at.value = was.at;
        this.view.value = was.view;
      });
      return;
    }
    const next = nextDue(this.session.board.value, this.session.now.value);
    if (next === null) return this.say(t("monitor.attention.nothing_due"));
    this.lookedFrom = { at: this.at.value, view: this.view.value, next };
    this.focus(next);
  }

  /** @param {string | null} callId @param {string | null} letter */
  async answerCheck(callId, letter) {
    const check = this.session.board.value.check;
    if (check) await this.session.act({ type: "attention.answer", check_id: check.check_id, call_id: callId, letter });
  }

  /** @param {number} place From 0. */
  focusPlace(place) {
    for (const [id, at] of this.session.board.value.places) if (at === place) this.focus(id);
  }

  /** @param {string} id */
  select(id) {
    batch(() => {
      this.at.value = id;
      if (!this.panelIsFor(id)) this.panel.value = null;
    });
  }

  /** @param {"left" | "right" | "up" | "down"} way */
  move(way) {
    const next = neighbour(this.layout.value, this.at.value, way);
    if (next) this.select(next);
  }

  /** Another page of a layout with fewer tiles than calls; the strip has every call on each. @param {1 | -1} step */
  turnPage(step) {
    const first = turned(this.layout.value, this.placed(), step);
    if (first && this.view.value === "wall") this.select(first);
  }

  /** @returns {import("../lib/layout.js").Placed[]} */
  placed() {
    return [...this.session.board.value.places].map(([id, place]) => ({ id, place }));
  }

  /** One step back; ends at the wall. A pause stays. */
  back() {
    if (this.panel.value) this.panel.value = null;
    else this.view.value = "wall";
  }

  closeGaps() {
    this.session.board.value = closeGaps(this.session.board.value);
  }

  // --- pause ---------------------------------------------------------------

  /** Silence at once; ask why after. @param {string | null} id */
  async pause(id) {
    const call = this.callOf(id);
    if (!call || !isOnWall(call)) return;
    const mine = call.holds.find((hold) => hold.kind === "security" && hold.post === "monitor");
    this.at.value = call.id;
    if (mine) {
      this.panel.value = { type: "pause", callId: call.id, holdId: mine.id, recorded: true };
      return;
    }
    this.panel.value = { type: "pause", callId: call.id, holdId: null, recorded: true };
    const answered = this.session.act({ type: "call.pause", call_id: call.id });
    this.pausing = answered;
    const answer = await answered;
    const panel = this.panel.value;
    if (panel?.type !== "pause" || panel.callId !== call.id) return;
    if (answer?.type === "ok") this.panel.value = { ...panel, holdId: answer.hold_id, recorded: answer.recorded };
    else this.panel.value = null;
  }

  /**
   * The hold that the keys U, T and the reasons mean: that of the panel, or the newest of this post on the call at hand.
   * `hold` is nothing while only its id is known.
   * @returns {{ callId: string, holdId: string, hold: HoldPart | undefined } | null}
   */
  pausedHere() {
    const panel = this.panel.value;
    const call = this.callOf(panel?.type === "pause" ? panel.callId : this.at.value);
    if (!call) return null;
    const known = panel?.type === "pause" ? panel.holdId : null;
    const hold = known === null ? call.holds.filter((one) => one.post === "monitor").at(-1) : call.holds.find((one) => one.id === known);
    const holdId = known ?? hold?.id;
    return holdId === undefined ? null : { callId: call.id, holdId, hold };
  }

  /** @param {PauseReason} reason */
  async giveReason(reason) {
    await this.pausing;
    const paused = this.pausedHere();
    if (!paused) return;
    this.reasoning = this.session.act({ type: "hold.reason", call_id: paused.callId, hold_id: paused.holdId, reason });
    await this.reasoning;
  }

  async undo() {
    await this.pausing;
    const paused = this.pausedHere();
    if (!paused || (paused.hold && !secondsLeft(paused.hold.undo_until, this.session.now.value))) return;
    const answer = await this.session.act({ type: "hold.undo", call_id: paused.callId, hold_id: paused.holdId });
    if (answer?.type === "ok") this.closeIf("pause");
  }

  async relabel() {
    await this.pausing;
    const paused = this.pausedHere();
    if (!paused || (paused.hold && !secondsLeft(paused.hold.relabel_until, this.session.now.value))) return;
    const answer = await this.session.act({ type: "hold.relabel", call_id: paused.callId, hold_id: paused.holdId });
    if (answer?.type === "ok") this.closeIf("pause");
  }

  /** Clear the severest hold that this post may clear. @param {string | null} id */
  async clear(id) {
    await this.reasoning;
    const call = this.callOf(id);
    if (!call?.holds.length) return;
    const hold = holdsOf(call).find((one) => mayClear(one, "monitor"));
    if (!hold) return this.say(t("monitor.clear.not_yours"));
    if (hold.kind === "security" && hold.post === "monitor" && !hold.reason) {
      this.panel.value = { type: "pause", callId: call.id, holdId: hold.id, recorded: true };
      return this.say(t("monitor.clear.reason_first"));
    }
    const answer = await this.session.act({ type: "hold.clear", call_id: call.id, hold_id: hold.id, version: call.seq });
    if (answer?.type === "ok") this.closeIf("pause");
  }

  // --- warn, end, identity -------------------------------------------------

  /** @param {string | null} id */
  openWarn(id) {
    const call = this.callOf(id);
    if (call && isOnWall(call)) this.panel.value = { type: "warn", callId: call.id, chosen: null };
  }

  async warn() {
    const panel = this.panel.value;
    if (panel?.type !== "warn" || !panel.chosen) return;
    const answer = await this.session.act({ type: "call.warn", call_id: panel.callId, warning: panel.chosen });
    if (answer?.type !== "ok") return;
    this.closeIf("warn");
    this.say(t("monitor.warn.sent"));
  }

  /** @param {string | null} id */
  openEnd(id) {
    const call = this.callOf(id);
    if (call && isOnWall(call)) this.panel.value = { type: "end", callId: call.id, sure: false };
  }

  /** The first of the two steps. */
  sure() {
    const panel = this.panel.value;
    if (panel?.type === "end") this.panel.value = { ...panel, sure: true };
  }

  /** The second. @param {EndReason} reason */
  async end(reason) {
    const panel = this.panel.value;
    if (panel?.type !== "end" || !panel.sure) return;
    const answer = await this.session.act({ type: "call.end", call_id: panel.callId, reason });
    if (answer?.type === "ok") batch(() => (this.closeIf("end"), (this.view.value = "wall")));
  }

  /** The check of the call at hand, or of the next that waits. @param {string} [callId] */
  openIdentity(callId) {
    const { board } = this.session;
    const here = this.callOf(callId ?? this.at.value);
    const leg = here && here.phase !== "ended" ? ((here.phase === "lobby" ? legToCheck(here) : undefined) ?? legWithAbsent(here)) : undefined;
    const next = here && leg && (callId || isPresent(leg)) ? { call: here, leg } : nextToCheck(board.value);
    if (!next) return this.say(t("monitor.identity.nobody"));
    batch(() => {
      this.at.value = next.call.id;
      this.view.value = "focus";
      this.panel.value = { type: "identity", callId: next.call.id, legId: next.leg.id, ticks: new Map(), refusing: false };
    });
  }

  /** @param {string} person @param {Partial<import("../lib/identity.js").Ticks>} change */
  tick(person, change) {
    const panel = this.panel.value;
    if (panel?.type !== "identity") return;
    this.panel.value = { ...panel, ticks: new Map(panel.ticks).set(person, { ...ticksOf(panel.ticks, person), ...change }) };
  }

  async admit() {
    const panel = this.panel.value;
    if (panel?.type !== "identity" || panel.refusing) return;
    const call = this.callOf(panel.callId);
    const leg = call?.legs.find((one) => one.id === panel.legId);
    if (!call || !leg) return;
    const here = hereOf(leg, panel.ticks);
    const missing = missingWords(here, panel);
    if (missing) return this.say(t("monitor.identity.missing", { names: missing }));
    const checks = checksOf(here, panel.ticks);
    const people = here.map((person) => person.id);
    const answer = await this.session.act({ type: "leg.verify", call_id: call.id, leg_id: leg.id, people, checks, version: call.seq });
    if (answer?.type !== "ok") return;
    batch(() => (this.closeIf("identity"), (this.view.value = "wall")));
    this.say(t("monitor.identity.admitted", { number: call.prisoner_number }));
  }

  /** @param {import("../lib/identity.js").IdentityReason | undefined} reason */
  async refuseLeg(reason) {
    const panel = this.panel.value;
    if (panel?.type !== "identity" || !panel.refusing || !reason) return;
    const answer = await this.session.act({ type: "leg.refuse", call_id: panel.callId, leg_id: panel.legId, reason });
    if (answer?.type === "ok") batch(() => (this.closeIf("identity"), (this.view.value = "wall")));
  }

  // --- the rest ------------------------------------------------------------

  /** A digit, where a list waits for one. @param {number} number */
  choose(number) {
    const panel = this.panel.value;
    if (panel?.type === "pause" && REASONS[number - 1]) void this.giveReason(REASONS[number - 1]);
    if (panel?.type === "warn" && WARNINGS[number - 1]) this.panel.value = { ...panel, chosen: WARNINGS[number - 1] };
    if (panel?.type === "identity") void this.refuseLeg(REFUSALS[number - 1]);
    this.tasks.choose(number);
    if (panel?.type === "end" && panel.sure && END_REASONS[number - 1]) void this.end(END_REASONS[number - 1]);
  }

  /** What the keys of digits mean now. @returns {import("../lib/keys.js").Panel} */
  asks() {
    const panel = this.panel.value;
    if (panel?.type === "pause") return this.pausedHere()?.hold?.reason ? "none" : "reason";
    if (panel?.type === "warn" || panel?.type === "attend" || (panel?.type === "end" && panel.sure)) return "choose";
    if (panel?.type === "identity") return panel.refusing ? "choose" : "identity";
    return panel ? "keys" : "none";
  }

  /** @param {string} words */
  say(words) {
    this.said.value = words;
  }

  /** @private @param {string | null} id */
  panelIsFor(id) {
    const panel = this.panel.value;
    return panel !== null && "callId" in panel && panel.callId === id;
  }

  /** @private @param {Panel["type"]} type */
  closeIf(type) {
    if (this.panel.value?.type === type) this.panel.value = null;
  }

  /** @private The keyboard is always on a call that is there; a view or panel of one that went closes. */
  keepInOrder() {
    effect(() => {
      const { places, calls } = this.session.board.value;
      const at = this.at.value;
      if (at === null || !places.has(at)) {
        const [first] = [...places].sort((one, other) => one[1] - other[1]);
        this.at.value = first?.[0] ?? null;
        this.view.value = "wall";
      }
      const panel = this.panel.value;
      if (!panel || !("callId" in panel)) return;
      const call = calls.get(panel.callId);
      if (!call || (call.phase === "ended" && !AFTER_THE_END.has(panel.type))) this.panel.value = null;
      else if (panel.type === "identity" && isAllVerified(call, panel.legId)) this.panel.value = null;
    });
  }

  /** @private Say which call is in focus and whether it is heard, after every change and on every new socket. */
  tellFocus() {
    const focus = computed(() => (this.session.onPost.value && !this.callOf(this.focused.value)?.privileged ? this.focused.value : null));
    let told = /** @type {string | null} */ (null);
    let heard = true;
    const tell = () => {
      if (!this.session.onPost.value) {
        told = null;
        return;
      }
      const sound = this.sound.value;
      if (told === focus.value && (told === null || heard === sound)) return;
      told = focus.value;
      heard = sound;
      void this.session.act({ type: "wall.focus", call_id: told, sound });
    };
    effect(tell);
    this.session.signedOn.push(() => {
      told = null;
      tell();
    });
  }
}

/** @param {CallPart} call @param {string} legId */
function isAllVerified(call, legId) {
  const leg = call.legs.find((one) => one.id === legId);
  return leg !== undefined && leg.verified && leg.people.every((person) => person.verified);
}

function fullScreen() {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen();
}
