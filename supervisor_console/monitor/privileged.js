// @ts-check
/** A privileged call at the console: a padlock, short looks without sound, and patrols in their place. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { secondsLeft } from "../lib/calls.js";
import { minutesAndSeconds, timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */

/**
 * @param {Desk} desk
 * @param {CallPart} call
 * @returns {boolean} Whether this console looks at the call now, by the relay's own lines.
 */
export function looksAt(desk, call) {
  return desk.session.board.value.lines.some((line) => line.kind === "video" && line.call_id === call.id);
}

/** Begin a look, or end the one that runs here. @param {Desk} desk @param {string | null} id */
export function toggleLook(desk, id) {
  const call = desk.callOf(id);
  if (!call?.privileged) return;
  void desk.session.act({ type: looksAt(desk, call) ? "look.stop" : "look.start", call_id: call.id });
}

/** What stands in place of the pictures. @param {{ desk: Desk, call: CallPart }} props */
export function Padlock({ desk, call }) {
  const part = call.privileged;
  if (!part) return null;
  return html`<div class="pics"><div class="padlock" data-patrol=${part.patrol !== null}>
    ${icon("lock")}
    <strong>${t(part.patrol ? "monitor.privileged.patrol" : "monitor.privileged")}</strong>
    <span>${part.patrol ? t(`patrol.${part.patrol}`) : lookWords(desk, call)}</span>
  </div></div>`;
}

/** @param {Desk} desk @param {CallPart} call @returns {string} */
function lookWords(desk, call) {
  const part = call.privileged;
  if (!part) return "";
  if (part.looking) return t("monitor.privileged.looking", { name: part.looking, n: Math.min(Math.round(part.look_max_s), secondsLeft(part.until, desk.session.now.value)) });
  const wait = part.refused ? 0 : secondsLeft(part.next_at, desk.session.now.value);
  return wait ? t("monitor.privileged.next_in", { time: minutesAndSeconds(wait) }) : t("monitor.privileged.looks", { n: part.looks });
}

/** The call in focus: its look, and the rules that this screen keeps. @param {{ desk: Desk, call: CallPart }} props */
export function PrivilegedCard({ desk, call }) {
  const part = call.privileged;
  if (!part) return null;
  return html`<section class="privileged" aria-labelledby="privileged-title">
    <h3 id="privileged-title">${icon("lock")}${t("monitor.privileged")}</h3>
    <p>${lookWords(desk, call)}</p>
    <${LookButton} desk=${desk} call=${call} />
    ${part.patrol && html`<p class="note">${t("monitor.privileged.patrol")}: ${t(`patrol.${part.patrol}`)} ${patrolWords(call)}</p>`}
    <p><strong>${t("monitor.privileged.no_sound")}</strong> ${t("monitor.privileged.no_sound_more")}</p>
    <p class="quiet">${t("monitor.privileged.rule", { max: Math.round(part.look_max_s), gap: Math.round(part.look_gap_s / 60) })}</p>
  </section>`;
}

/** @param {CallPart} call @returns {string} When the hall walks past next. */
export function patrolWords(call) {
  const part = call.privileged;
  if (!part?.patrol) return "";
  if (part.patrol_due_at) return t("monitor.privileged.patrol_due", { time: timeOfDay(part.patrol_due_at) });
  return part.patrol_next_at ? t("monitor.privileged.patrol_next", { time: timeOfDay(part.patrol_next_at) }) : "";
}

/** @param {{ desk: Desk, call: CallPart, brief?: boolean }} props `brief`: nothing where no look may begin now. */
export function LookButton({ desk, call, brief = false }) {
  const part = call.privileged;
  if (!part || call.phase === "ended") return null;
  const open = part.may_look && !part.refused && (looksAt(desk, call) || !secondsLeft(part.next_at, desk.session.now.value));
  if (brief && !open) return null;
  if (!part.may_look) return html`<p class="closed">${icon("lock")}${t("refused.looks_not_allowed")}</p>`;
  if (part.refused) return html`<p class="closed">${icon("lock")}${t("refused.looks_refused")}</p>`;
  const here = looksAt(desk, call);
  const wait = secondsLeft(part.next_at, desk.session.now.value);
  if (!here && wait) return html`<p class="closed">${icon("clock")}${t("monitor.privileged.next_in", { time: minutesAndSeconds(wait) })}</p>`;
  return html`<button type="button" class="plain" data-look=${here} onClick=${() => toggleLook(desk, call.id)}>
    ${icon("eye")}${t(here ? "monitor.privileged.stop" : "monitor.privileged.look")} <kbd>V</kbd>
  </button>`;
}
