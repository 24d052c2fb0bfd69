// @ts-check
/** The right-hand rail: the panel in use or the actions for the call at hand, then alerts, then the lobby. */

import { html } from "htm/preact";

import { has, t } from "../../web/lib/text.js";
import { contactNames, holdsOf, isPresent, isUnwatched, legToCheck, legWithAbsent, mayClear, weakLegs } from "../lib/calls.js";
import { hourAndMinute, timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { EndPanel } from "./end.js";
import { IdentityPanel } from "./identity.js";
import { KeysPanel } from "./keyhelp.js";
import { LeavePanel } from "./leave.js";
import { PausePanel } from "./pause.js";
import { LookButton } from "./privileged.js";
import { HandoverPanel, ReliefNotice } from "./relief.js";
import { Receipts } from "./record.js";
import { TaskButtons, TaskPanel } from "./tasks.js";
import { WarnPanel } from "./warn.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../lib/board.js").Board} Board */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */

/** @param {{ desk: Desk }} props */
export function Rail({ desk }) {
  return html`<aside class="rail" aria-label=${t("monitor.rail")}>
    <${ReliefNotice} desk=${desk} />
    <${Top} desk=${desk} />
    <${Alerts} desk=${desk} />
    <${Lobby} desk=${desk} />
    <${Ended} desk=${desk} />
    <${Coming} desk=${desk} />
  </aside>`;
}

/** @param {{ desk: Desk }} props */
function Top({ desk }) {
  const panel = desk.panel.value;
  switch (panel?.type) {
    case "pause":
      return html`<${PausePanel} key=${`pause ${panel.callId}`} desk=${desk} panel=${panel} />`;
    case "warn":
      return html`<${WarnPanel} key=${`warn ${panel.callId}`} desk=${desk} panel=${panel} />`;
    case "end":
      return html`<${EndPanel} key=${`end ${panel.callId}`} desk=${desk} panel=${panel} />`;
    case "identity":
      return html`<${IdentityPanel} key=${`identity ${panel.legId}`} desk=${desk} panel=${panel} />`;
    case "note":
    case "breach":
    case "attend":
    case "line":
    case "record":
      return html`<${TaskPanel} key=${`${panel.type} ${panel.callId}`} desk=${desk} panel=${panel} />`;
    case "handover":
      return html`<${HandoverPanel} desk=${desk} />`;
    case "leave":
      return html`<${LeavePanel} desk=${desk} />`;
    case "keys":
      return html`<${KeysPanel} desk=${desk} />`;
    default:
      return html`<${Actions} desk=${desk} />`;
  }
}

/** What can be done with the call that the keyboard is on: the same as the keys. @param {{ desk: Desk }} props */
function Actions({ desk }) {
  const { call } = desk;
  if (!call || call.phase === "ended") return html`<section class="actions"><h2>${t("monitor.actions.none")}</h2></section>`;
  const place = desk.session.board.value.places.get(call.id) ?? 0;
  const inFocus = desk.focused.value === call.id;
  const yours = holdsOf(call).find((hold) => mayClear(hold, "monitor"));
  return html`<section class="actions" aria-labelledby="actions-title">
    <h2 id="actions-title">${t("monitor.actions.title", { place: place + 1, number: call.prisoner_number })}</h2>
    <div class="buttons">
      ${inFocus
        ? html`<button type="button" class="plain" onClick=${() => desk.back()}>${t("monitor.back")} <kbd>Esc</kbd></button>`
        : html`<button type="button" class="plain" onClick=${() => desk.focus(call.id)}>${t("monitor.focus")} <kbd>Enter</kbd></button>`}
      <${LookButton} desk=${desk} call=${call} brief=${true} />
      <button type="button" class="pause" onClick=${() => desk.pause(call.id)}>${icon("octagon")}${t("monitor.pause")} <kbd>P</kbd></button>
      <button type="button" class="plain" onClick=${() => desk.openWarn(call.id)}>${icon("say")}${t("monitor.warn")} <kbd>W</kbd></button>
      ${((legToCheck(call) && call.phase === "lobby") || legWithAbsent(call)) && html`<button type="button" class="plain" onClick=${() => desk.openIdentity(call.id)}>${icon("person")}${t("monitor.identity.check")} <kbd>I</kbd></button>`}
      ${call.holds.length > 0 && html`<${ClearButton} desk=${desk} call=${call} yours=${yours !== undefined} />`}
      <button type="button" class="end" onClick=${() => desk.openEnd(call.id)}>${icon("stop")}${t("monitor.end")} <kbd>E</kbd></button>
    </div>
    <${TaskButtons} desk=${desk} callId=${call.id} />
    <${Receipts} desk=${desk} call=${call} />
  </section>`;
}

/** @param {{ desk: Desk, call: CallPart, yours: boolean }} props */
function ClearButton({ desk, call, yours }) {
  if (!yours) return html`<p class="closed">${icon("lock")}${t("monitor.clear.not_yours")}</p>`;
  return html`<button type="button" class="plain" onClick=${() => desk.clear(call.id)}>${icon("tick")}${t("monitor.clear")} <kbd>R</kbd></button>`;
}

/**
 * What asks for an act now, by the state itself, most urgent first; then what the broker told.
 * @param {Board} board
 * @returns {{ id: string, callId: string | null, look: string, shape: string, text: string, at: string | null, told: boolean }[]}
 */
export function alertsOf(board) {
  /** @type {{ id: string, callId: string | null, look: string, shape: string, text: string, at: string | null, told: boolean }[]} */
  const standing = [];
  for (const [id, place] of [...board.places].sort((one, other) => one[1] - other[1])) {
    const call = board.calls.get(id);
    if (!call || call.phase === "ended") continue;
    const where = { place: place + 1, number: call.prisoner_number };
    const add = (/** @type {string} */ look, /** @type {string} */ shape, /** @type {string} */ text, /** @type {string | null} */ at) =>
      standing.push({ id: `${id} ${look}`, callId: id, look, shape, text, at, told: false });
    const [worst] = holdsOf(call);
    if (isUnwatched(board, call) && worst?.kind !== "unmonitored") add("unwatched", "unwatched", t("monitor.alert.unwatched", where), null);
    if (worst) add(lookOfHold(worst.kind), shapeOfHold(worst.kind), t("monitor.alert.held", { ...where, hold: t(`console.hold.${worst.kind}`) }), worst.placed_at);
    else if (weakLegs(board, call).length) add("link", "weak", t("monitor.alert.weak", where), null);
    if (call.help_asked) add("help", "hand", t("monitor.alert.help", where), null);
  }
  const urgency = ["unwatched", "security", "technical", "help", "link"];
  standing.sort((one, other) => urgency.indexOf(one.look) - urgency.indexOf(other.look));
  const told = board.alerts.map((alert) => ({
    id: alert.id,
    callId: alert.call_id,
    look: "told",
    shape: "dot",
    text: alertWords(board, alert),
    at: alert.at,
    told: true,
  }));
  return [...standing, ...told];
}

/** @param {{ desk: Desk }} props */
function Alerts({ desk }) {
  const board = desk.session.board.value;
  const open = alertsOf(board).filter((alert) => !desk.read.value.has(alert.id));
  return html`<section class="alerts" aria-labelledby="alerts-title">
    <h2 id="alerts-title">${t("monitor.alerts")} <span class="amount">${t("monitor.alerts.open", { n: open.length })}</span></h2>
    <ol>
      ${open.map(
        (alert) => html`<li key=${alert.id} class=${`alert alert-${alert.look}`}>
          ${icon(alert.shape)}
          <p>${alert.at && html`<span class="alert-at">${timeOfDay(alert.at)} </span>`}${alert.text}</p>
          <span class="alert-do">
            ${alert.callId !== null && board.places.has(alert.callId) && html`<button type="button" class="plain" onClick=${() => desk.focus(alert.callId)}>${t("monitor.alerts.look")}<span class="hidden-words">: ${alert.text}</span></button>`}
            ${alert.told && html`<button type="button" class="plain" onClick=${() => desk.markRead(alert.id)}>${t("monitor.alerts.noted")}<span class="hidden-words">: ${alert.text}</span></button>`}
          </span>
        </li>`,
      )}
    </ol>
  </section>`;
}

/** @param {{ desk: Desk }} props */
function Lobby({ desk }) {
  const waiting = [...desk.session.board.value.calls.values()]
    .filter((call) => call.phase === "lobby")
    .sort((one, other) => one.starts_at.localeCompare(other.starts_at));
  return html`<section class="lobby" aria-labelledby="lobby-title">
    <h2 id="lobby-title">${t("monitor.lobby")} <span class="amount">${t("monitor.lobby.waiting", { n: waiting.length })}</span></h2>
    <ul>
      ${waiting.map((call) => {
        const leg = legToCheck(call);
        return html`<li key=${call.id}>
          <p><b>${hourAndMinute(call.starts_at)} ${call.prisoner_number}</b> ${contactNames(call).join(", ")}</p>
          <p class="quiet">${leg ? (isPresent(leg) ? t("monitor.lobby.to_check") : t(`step.${leg.step}`)) : t("monitor.lobby.checked")}</p>
          ${leg && html`<button type="button" class="plain" onClick=${() => desk.openIdentity(call.id)}>${t("monitor.identity.check")}<span class="hidden-words"> ${call.prisoner_number}</span></button>`}
        </li>`;
      })}
    </ul>
  </section>`;
}

/** Calls that are over, for as long as they are told: what was seen is written down after them. @param {{ desk: Desk }} props */
function Ended({ desk }) {
  const over = [...desk.session.board.value.calls.values()].filter((call) => call.phase === "ended");
  if (!over.length) return null;
  return html`<section class="coming" aria-labelledby="ended-title">
    <h2 id="ended-title">${t("monitor.over")}</h2>
    <ul>
      ${over.map((call) => html`<li key=${call.id}><b>${call.prisoner_number}</b> ${contactNames(call).join(", ")} <button type="button" class="plain small" onClick=${() => desk.tasks.open("record", call.id)}>${t("monitor.record")}<span class="hidden-words"> ${call.prisoner_number}</span></button></li>`)}
    </ul>
  </section>`;
}

/** @param {{ desk: Desk }} props */
function Coming({ desk }) {
  const coming = [...desk.session.board.value.calls.values()]
    .filter((call) => call.phase === "scheduled")
    .sort((one, other) => one.starts_at.localeCompare(other.starts_at))
    .slice(0, 8);
  if (!coming.length) return null;
  return html`<section class="coming" aria-labelledby="coming-title">
    <h2 id="coming-title">${t("monitor.coming")}</h2>
    <ul>
      ${coming.map((call) => html`<li key=${call.id}><b>${hourAndMinute(call.starts_at)} ${call.prisoner_number}</b> ${t("monitor.seat_of_hall", { seat: call.seat, hall: call.hall })}</li>`)}
    </ul>
  </section>`;
}

/**
 * @param {Board} board
 * @param {import("../../web/lib/protocol.js").Alert} alert
 * @returns {string}
 */
export function alertWords(board, alert) {
  const call = alert.call_id ? board.calls.get(alert.call_id) : undefined;
  const words = has(`alert.${alert.code}`) ? t(`alert.${alert.code}`, { by: alert.by ?? "" }) : t("monitor.alert.other");
  return call ? `${call.prisoner_number}: ${words}` : words;
}

/** @param {string} kind */
function lookOfHold(kind) {
  if (["security", "incident", "stood_down"].includes(kind)) return "security";
  if (["unmonitored", "unsupervised", "recovered"].includes(kind)) return "unwatched";
  return kind === "interrupted" ? "link" : "technical";
}

/** @param {string} kind */
function shapeOfHold(kind) {
  return { security: "octagon", unwatched: "unwatched", link: "link", technical: "hexagon" }[lookOfHold(kind)] ?? "hexagon";
}
