// @ts-check
/** Ending a call from the hall: two steps, then a reason. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { icon } from "../lib/icons.js";

/** @typedef {import("./hall.js").Hall} Hall */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").EndReason} EndReason */

const REASONS = /** @type {EndReason[]} */ ([
  "finished_early",
  "equipment",
  "welfare",
  "conduct",
  "unlisted_person",
  "security",
  "hall_closing",
  "identity",
]);

/** @param {{ hall: Hall, call: CallPart }} props */
export function End({ hall, call }) {
  const step = hall.ending.value;
  const asked = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => asked.current?.focus(), [step]);
  if (!step) return null;
  return html`<section class="card card-end" aria-labelledby="end-title">
    <h3 id="end-title" tabindex="-1" ref=${asked}>${step === "asked" ? t("hall.end") : t("hall.end.why")}</h3>
    <p>${t("hall.end.final")}</p>
    ${step === "sure" &&
    html`<div class="why">${REASONS.map((reason) => html`<button type="button" class="plain" key=${reason} onClick=${() => hall.end(call, reason)}>${t(`end.${reason}`)}</button>`)}</div>`}
    <div class="buttons">
      ${step === "asked" && html`<button type="button" class="end" onClick=${() => (hall.ending.value = "sure")}>${icon("stop")}${t("hall.end.sure")}</button>`}
      <button type="button" class="plain" onClick=${() => (hall.ending.value = null)}>${t("hall.end.keep")}</button>
    </div>
  </section>`;
}
