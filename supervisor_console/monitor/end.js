// @ts-check
/** Ending a call takes two steps: to be sure (hold E for a second, or confirm), then a reason. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { icon } from "../lib/icons.js";
import { END_REASONS } from "./desk.js";
import { Choices, PanelFrame, whose } from "./panel.js";

/** @param {{ desk: import("./desk.js").Desk, panel: Extract<import("./desk.js").Panel, { type: "end" }> }} props */
export function EndPanel({ desk, panel }) {
  const asked = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => asked.current?.focus(), [panel.sure]);
  return html`<${PanelFrame} desk=${desk} title=${t("monitor.end.title", whose(desk, panel.callId))} look="end" keepFocus=${true}>
    <p>${t("monitor.end.final")}</p>
    ${panel.sure
      ? html`<h3 tabindex="-1" ref=${asked}>${t("monitor.end.why")}</h3>
          <${Choices} codes=${END_REASONS} word=${(/** @type {string} */ code) => t(`end.${code}`)} chosen=${null} onChoose=${(/** @type {any} */ code) => desk.end(code)} />`
      : html`<div class="buttons">
          <button type="button" class="end" onClick=${() => desk.sure()}>${icon("stop")}${t("monitor.end.sure")}</button>
          <button type="button" class="plain" ref=${asked} onClick=${() => (desk.panel.value = null)}>${t("monitor.end.keep")}</button>
        </div>
        <p class="quiet">${t("monitor.end.hold_key")}</p>`}
  <//>`;
}
