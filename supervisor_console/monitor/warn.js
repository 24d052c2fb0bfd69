// @ts-check
/** A warning to both ends: chosen from a list, then confirmed. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { WARNINGS } from "./desk.js";
import { Choices, PanelFrame, whose } from "./panel.js";

/** @param {{ desk: import("./desk.js").Desk, panel: Extract<import("./desk.js").Panel, { type: "warn" }> }} props */
export function WarnPanel({ desk, panel }) {
  const { chosen } = panel;
  return html`<${PanelFrame} desk=${desk} title=${t("monitor.warn.title")} look="warn">
    <p>${t("monitor.actions.title", whose(desk, panel.callId))}</p>
    <${Choices}
      codes=${WARNINGS}
      word=${(/** @type {string} */ code) => t(`warning.${code}`)}
      chosen=${chosen}
      onChoose=${(/** @type {any} */ code) => (desk.panel.value = { ...panel, chosen: code })}
    />
    ${chosen
      ? html`<button type="button" class="primary" onClick=${() => desk.warn()}>${t("monitor.warn.send")} <kbd>Enter</kbd></button>`
      : html`<p class="closed">${t("monitor.warn.choose_first")}</p>`}
  <//>`;
}
