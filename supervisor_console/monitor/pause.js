// @ts-check
/** After a pause has acted: undo it, say why, make it technical, clear it. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { secondsLeft } from "../lib/calls.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { REASONS } from "./desk.js";
import { Choices, PanelFrame, whose } from "./panel.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").HoldPart} HoldPart */

/** @param {{ desk: Desk, panel: Extract<import("./desk.js").Panel, { type: "pause" }> }} props */
export function PausePanel({ desk, panel }) {
  const paused = desk.pausedHere();
  const hold = paused?.hold;
  const title = hold ? t("monitor.pause.silent_since", { time: timeOfDay(hold.placed_at) }) : t("monitor.pause.pausing");
  return html`<${PanelFrame} desk=${desk} title=${title} look="security" shut=${t("monitor.pause.stays")}>
    <p>${t("monitor.actions.title", whose(desk, panel.callId))}</p>
    ${!panel.recorded && html`<p class="note">${icon("ring")}${t("monitor.pause.not_recorded")}</p>`}
    ${hold && html`<${Undo} desk=${desk} hold=${hold} />`}
    ${hold?.kind === "technical" && html`<p>${icon("hexagon")}${t("monitor.pause.now_technical")}</p>`}
    ${hold &&
    hold.kind === "security" &&
    (hold.reason
      ? html`<p class="chosen">${icon("tick")}${t("monitor.pause.reason_is", { reason: t(`pause.${hold.reason}`) })}</p>`
      : html`<h3>${t("monitor.pause.why")}</h3>
          <${Choices} codes=${REASONS} word=${(/** @type {string} */ code) => t(`pause.${code}`)} chosen=${null} onChoose=${(/** @type {any} */ code) => desk.giveReason(code)} />`)}
    ${hold && html`<${After} desk=${desk} hold=${hold} callId=${panel.callId} />`}
    <p class="quiet">${t("monitor.pause.both_told")}</p>
  <//>`;
}

/** @param {{ desk: Desk, hold: HoldPart }} props */
function Undo({ desk, hold }) {
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const left = secondsLeft(hold.undo_until, desk.session.now.value);
  const open = left > 0;
  useEffect(() => {
    if (open) button.current?.focus();
    else if (document.activeElement === document.body) document.getElementById("panel-title")?.focus();
  }, [open]);
  if (!open) return null;
  return html`<button type="button" class="undo" ref=${button} onClick=${() => desk.undo()}>
    ${icon("undo")}${t("monitor.pause.undo")} <kbd>U</kbd> <span class="quiet" aria-hidden="true">${t("monitor.seconds", { n: left })}</span>
  </button>`;
}

/** @param {{ desk: Desk, hold: HoldPart, callId: string }} props */
function After({ desk, hold, callId }) {
  const relabel = hold.kind === "security" && secondsLeft(hold.relabel_until, desk.session.now.value) > 0;
  return html`<div class="buttons">
    ${relabel && html`<button type="button" class="plain" onClick=${() => desk.relabel()}>${icon("hexagon")}${t("monitor.pause.relabel")} <kbd>T</kbd></button>`}
    ${hold.kind === "security" &&
    (hold.reason
      ? html`<button type="button" class="primary" onClick=${() => desk.clear(callId)}>${icon("tick")}${t("monitor.clear")} <kbd>R</kbd></button>`
      : html`<p class="closed">${icon("lock")}${t("monitor.clear.reason_first")}</p>`)}
    ${hold.kind === "technical" && html`<p class="closed">${icon("lock")}${t("monitor.hold.clears.supervisor")}</p>`}
    <button type="button" class="end" onClick=${() => desk.openEnd(callId)}>${icon("stop")}${t("monitor.end")} <kbd>E</kbd></button>
  </div>`;
}
