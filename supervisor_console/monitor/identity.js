// @ts-check
/** The identity check in the lobby: everyone on the list is ticked, then admitted. No prisoner is seen before it. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { icon } from "../lib/icons.js";
import { isPresent } from "../lib/calls.js";
import { PanelFrame } from "./panel.js";

/** @typedef {import("../../web/lib/protocol.js").AttendeePart} AttendeePart */

/** @param {{ desk: import("./desk.js").Desk, panel: Extract<import("./desk.js").Panel, { type: "identity" }> }} props */
export function IdentityPanel({ desk, panel }) {
  const call = desk.callOf(panel.callId);
  const leg = call?.legs.find((one) => one.id === panel.legId);
  if (!call || !leg) return null;
  const missing = leg.people.filter((person) => !panel.ticks.has(person.id));
  return html`<${PanelFrame} desk=${desk} title=${t("monitor.identity.title", { number: call.prisoner_number })} look="identity">
    <p>${icon("lock")}${t("monitor.identity.nothing_yet")}</p>
    ${!isPresent(leg) && html`<p class="note">${t("monitor.identity.not_there", { step: t(`step.${leg.step}`) })}</p>`}
    <fieldset class="ticks">
      <legend>${t("monitor.identity.everyone")}</legend>
      ${leg.people.map((person) => html`<${Person} key=${person.id} person=${person} ticked=${panel.ticks.has(person.id)} onTick=${() => desk.tick(person.id)} />`)}
    </fieldset>
    <div class="buttons">
      ${missing.length
        ? html`<p class="closed">${icon("ring")}${t("monitor.identity.missing", { names: missing.map((person) => person.name).join(", ") })}</p>`
        : html`<button type="button" class="primary" onClick=${() => desk.admit()}>${icon("tick")}${t("monitor.identity.admit", { n: leg.people.length })} <kbd>Enter</kbd></button>`}
      <button type="button" class="end" onClick=${() => desk.refuseLeg()}>
        ${icon("cross")}${panel.refusing ? t("monitor.identity.refuse_sure") : t("monitor.identity.refuse")}
      </button>
    </div>
    <p class="quiet">${t("monitor.identity.family_sees")}</p>
  <//>`;
}

/** @param {{ person: AttendeePart, ticked: boolean, onTick: () => void }} props */
function Person({ person, ticked, onTick }) {
  const about = [person.main_caller && t("monitor.identity.main_caller"), person.child && t("monitor.identity.child")].filter(Boolean);
  return html`<label class="person" data-ticked=${ticked}>
    <input type="checkbox" checked=${ticked} onChange=${onTick} />
    <span><b>${person.name}</b> ${about.length > 0 && html`<span class="quiet">${about.join(", ")}</span>`}<br />${t("monitor.identity.tick")}</span>
  </label>`;
}
