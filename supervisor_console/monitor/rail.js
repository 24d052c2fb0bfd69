// @ts-check
/** The right-hand rail: the panel in use or the actions for the call at hand, then alerts, then the lobby. */

import { html } from "htm/preact";
import { useComputed } from "@preact/signals";

import { t } from "../../web/lib/text.js";
import { contactNames, endedLately, holdsOf, isPresent, legToCheck, legWithAbsent, mayClear } from "../lib/calls.js";
import { hourAndMinute } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { Alerts } from "./alerts.js";
import { EndPanel } from "./end.js";
import { FacesLine } from "./faces.js";
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
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */

/** @param {{ desk: Desk }} props */
export function Rail({ desk }) {
  return html`<aside class="rail" aria-label=${t("monitor.rail")}>
    <${ReliefNotice} desk=${desk} />
    <${Top} desk=${desk} />
    <${Alerts} desk=${desk} />
    <${FacesLine} desk=${desk} />
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

/** Calls that are over, for as long as the broker takes notes of them: what was seen is written down after them. @param {{ desk: Desk }} props */
function Ended({ desk }) {
  const minute = useComputed(() => Math.floor(desk.session.now.value / 60_000)).value;
  const over = endedLately(desk.session.board.value, minute * 60_000);
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
