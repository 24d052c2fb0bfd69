// @ts-check
/** Relief of the post: whom it can be offered to, the offer in progress, and the break that is due. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { hourAndMinute, minutesAndSeconds, timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { refusalWords } from "../lib/marking.js";
import { NotesNotice } from "../lib/shift.js";
import { PanelFrame } from "./panel.js";
import { TransferNotices, Transfers } from "./transfer.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").HandoverPart} Handover */
/** @typedef {import("../../web/lib/protocol.js").ColleaguePart} Colleague */

/** Opens the panel, from the top bar: says when the break is. @param {{ desk: Desk }} props */
export function ReliefButton({ desk }) {
  const relief = desk.session.board.value.relief;
  const at = relief?.break_at ? t(relief.break_due ? "monitor.break.now" : "monitor.break.at", { time: hourAndMinute(relief.break_at) }) : "";
  return html`<button type="button" class="plain relief-button" data-due=${relief?.break_due ?? false} onClick=${() => (desk.panel.value = { type: "handover" })}>
    ${icon("person")}${t("monitor.handover.open")}${at && html`<span class="quiet">${at}</span>`}
  </button>`;
}

/** What stands above the rail until it is answered. @param {{ desk: Desk }} props */
export function ReliefNotice({ desk }) {
  const { session } = desk;
  const relief = session.board.value.relief;
  const over = session.over.value;
  return html`<div class="relief-notice" role="alert">
    <${TransferNotices} desk=${desk} />
    <${NotesNotice} notes=${relief?.notes ?? []} />
    ${relief?.handover && html`<${Offered} desk=${desk} offer=${relief.handover} />`}
    ${relief?.break_due &&
    !relief.handover &&
    html`<section class="relief-box">
      <h2>${icon("clock")}${t("monitor.break.due")}</h2>
      <p>${t("monitor.break.rest", { n: Math.round(relief.rest_s / 60) })}</p>
      <div class="buttons">
        <button type="button" class="primary" onClick=${() => (desk.panel.value = { type: "handover" })}>${t("monitor.handover.open")}</button>
        <button type="button" class="plain" onClick=${() => session.act({ type: "break.snooze" })}>${t("monitor.break.snooze")}</button>
      </div>
    </section>`}
    ${over &&
    html`<section class="relief-box">
      <p>${icon("tick")}${t(`monitor.handover.${over.outcome}.${over.role}`, { from: over.from_name, to: over.to_name, time: timeOfDay(over.now) })}</p>
      <button type="button" class="plain" onClick=${() => (session.over.value = null)}>${t("console.close")}</button>
    </section>`}
  </div>`;
}

/** @param {{ desk: Desk, offer: Handover }} props */
function Offered({ desk, offer }) {
  const { session } = desk;
  const incoming = offer.role === "incoming";
  const names = { from: offer.from_name, to: offer.to_name };
  const left = (Date.parse(offer.until) - session.now.value) / 1000;
  const ready = offer.proven === offer.to_watch;
  return html`<section class="relief-box" data-handover=${offer.role}>
    <h2>${icon("person")}${t(`monitor.handover.offered.${offer.role}`, names)}</h2>
    <p>${t(`monitor.handover.responsible.${offer.role}`, names)}</p>
    <ul class="relief-matters">
      <li>${t("monitor.handover.live", { n: offer.live })}</li>
      <li>${t("monitor.handover.held", { n: offer.held })}</li>
      <li>${t("monitor.handover.lobby", { n: offer.lobby })}</li>
      <li data-met=${ready}>${icon(ready ? "tick" : "dash")}${t("monitor.handover.on_screen", { n: offer.proven, of: offer.to_watch, to: offer.to_name })}</li>
    </ul>
    <p class="quiet" aria-live="off">${t("monitor.handover.left", { time: minutesAndSeconds(left) })}</p>
    <div class="buttons">
      ${incoming
        ? html`<button type="button" class="primary" onClick=${() => session.act({ type: "handover.accept", handover_id: offer.id })}>${t("monitor.handover.accept")}</button>
            <button type="button" class="plain" onClick=${() => session.act({ type: "handover.refuse", handover_id: offer.id })}>${t("monitor.handover.refuse")}</button>`
        : html`<button type="button" class="plain" onClick=${() => session.act({ type: "handover.withdraw", handover_id: offer.id })}>${t("monitor.handover.withdraw")}</button>`}
    </div>
  </section>`;
}

/** @param {{ desk: Desk }} props */
export function HandoverPanel({ desk }) {
  const relief = desk.session.board.value.relief;
  const colleagues = relief?.colleagues ?? [];
  return html`<${PanelFrame} desk=${desk} title=${t("monitor.handover.title")} look="handover">
    <p>${t("monitor.handover.how")}</p>
    ${relief?.break_at && html`<p class="quiet">${t(relief.break_due ? "monitor.break.now" : "monitor.break.at", { time: hourAndMinute(relief.break_at) })}</p>`}
    ${colleagues.length
      ? html`<ul class="relief-colleagues">${colleagues.map((one) => html`<${Person} key=${one.number} desk=${desk} colleague=${one} pending=${relief?.handover !== null} />`)}</ul>`
      : html`<p class="closed">${icon("lock")}${t("monitor.handover.nobody")}</p>`}
    <${Transfers} desk=${desk} />
  <//>`;
}

/** @param {{ desk: Desk, colleague: Colleague, pending: boolean }} props */
function Person({ desk, colleague, pending }) {
  const { name, number, code } = colleague;
  return html`<li>
    <p><strong>${name}</strong> <span class="quiet">${t(`grade.${colleague.grade}`)} · ${t("monitor.handover.since", { time: hourAndMinute(colleague.since) })}</span></p>
    <p>${icon(code ? "dash" : "tick")}${t("monitor.handover.shows", { n: colleague.proven, of: colleague.live })}</p>
    ${code || pending
      ? html`<p class="closed">${icon("lock")}${refusalWords(code ?? "handover_pending")}</p>`
      : html`<button type="button" class="primary" onClick=${() => offer(desk, number)}>${t("monitor.handover.offer", { name })}</button>`}
  </li>`;
}

/** @param {Desk} desk @param {string} number */
async function offer(desk, number) {
  const answer = await desk.session.act({ type: "handover.offer", number });
  if (answer?.type === "ok") desk.panel.value = null;
}
