// @ts-check
/** The identity check in the lobby: each person's photo on file beside the live picture, three ticks, then admitted. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { icon } from "../lib/icons.js";
import { isPresent } from "../lib/calls.js";
import { DOCUMENTS, REFUSALS, hereOf, missingTicks, ticksOf } from "../lib/identity.js";
import { Choices, PanelFrame } from "./panel.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {Extract<import("./desk.js").Panel, { type: "identity" }>} IdentityState */
/** @typedef {import("../../web/lib/protocol.js").AttendeePart} AttendeePart */

/** @param {{ desk: Desk, panel: IdentityState }} props */
export function IdentityPanel({ desk, panel }) {
  const call = desk.callOf(panel.callId);
  const leg = call?.legs.find((one) => one.id === panel.legId);
  if (!call || !leg) return null;
  const here = hereOf(leg, panel.ticks);
  return html`<${PanelFrame} desk=${desk} title=${t("monitor.identity.title", { number: call.prisoner_number })} look="identity">
    <p>${icon("lock")}${t("monitor.identity.nothing_yet")}</p>
    ${!isPresent(leg) && html`<p class="note">${t("monitor.identity.not_there", { step: t(`step.${leg.step}`) })}</p>`}
    <h3>${t("monitor.identity.list")} <span class="quiet">${t("monitor.identity.most")}</span></h3>
    ${leg.people.map((person) => html`<${Person} key=${person.id} desk=${desk} panel=${panel} person=${person} />`)}
    <${Admit} desk=${desk} panel=${panel} here=${here} all=${leg.people} />
    <p class="quiet">${t("monitor.identity.family_sees")}</p>
  <//>`;
}

/** @param {{ desk: Desk, panel: IdentityState, here: AttendeePart[], all: AttendeePart[] }} props */
function Admit({ desk, panel, here, all }) {
  if (panel.refusing) return html`<${Refusal} desk=${desk} panel=${panel} />`;
  const missing = missingWords(here, panel);
  const absent = all.filter((person) => !here.includes(person));
  const words = absent.length
    ? t("monitor.identity.admit_without", { n: here.length, names: absent.map((person) => person.name).join(", ") })
    : t("monitor.identity.admit", { n: here.length });
  return html`<div class="buttons admit">
    ${missing
      ? html`<p class="closed" role="status">${icon("ring")}${t("monitor.identity.missing", { names: missing })}</p>`
      : html`<button type="button" class="primary" onClick=${() => desk.admit()}>${icon("tick")}${words} <kbd>Enter</kbd></button>`}
    <button type="button" class="end" onClick=${() => (desk.panel.value = { ...panel, refusing: true })}>${icon("cross")}${t("monitor.identity.refuse")}</button>
  </div>`;
}

/** The second step of a refusal: its reason, which the family reads. @param {{ desk: Desk, panel: IdentityState }} props */
function Refusal({ desk, panel }) {
  const asked = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => asked.current?.focus(), []);
  return html`<div class="refusal">
    <h3 tabindex="-1" ref=${asked}>${t("monitor.identity.refuse_why")}</h3>
    <${Choices} codes=${REFUSALS} word=${(/** @type {string} */ code) => t(`identity.${code}`)} chosen=${null} onChoose=${(/** @type {any} */ code) => desk.refuseLeg(code)} />
    <button type="button" class="plain" onClick=${() => (desk.panel.value = { ...panel, refusing: false })}>${t("monitor.identity.keep")}</button>
  </div>`;
}

/** @param {{ desk: Desk, panel: IdentityState, person: AttendeePart }} props */
function Person({ desk, panel, person }) {
  const ticks = ticksOf(panel.ticks, person.id);
  const missing = missingTicks(person, ticks);
  const set = (/** @type {Partial<import("../lib/identity.js").Ticks>} */ change) => desk.tick(person.id, change);
  const about = [person.relationship, person.age !== null && t("monitor.identity.age", { n: person.age }), person.main_caller && t("monitor.identity.main_caller"), person.child && t("monitor.identity.child")];
  return html`<fieldset class="person" data-person=${person.id} data-ticked=${missing.length === 0} data-absent=${ticks.absent}>
    <legend><b>${person.name}</b> <span class="quiet">${about.filter(Boolean).join(" · ")}</span></legend>
    <${Photo} callId=${panel.callId} person=${person} />
    <div class="person-ticks">
      ${person.verified
        ? html`<p class="tick-count done">${icon("tick")}${t("monitor.identity.checked")}</p>`
        : ticks.absent
        ? html`<p class="quiet">${icon("hollow")}${t("monitor.identity.not_here")}</p>`
        : html`<p class=${missing.length ? "tick-count missing" : "tick-count done"}>${icon(missing.length ? "ring" : "tick")}${missing.length ? t("monitor.identity.ticks_missing", { n: missing.length }) : t("monitor.identity.checked")}</p>
            <label><input type="checkbox" checked=${ticks.name} onChange=${() => set({ name: !ticks.name })} /> ${t("monitor.identity.tick.name")}</label>
            <label><input type="checkbox" checked=${ticks.photo} onChange=${() => set({ photo: !ticks.photo })} /> ${t("monitor.identity.tick.photo")}</label>
            <${DocumentSeen} person=${person} ticks=${ticks} set=${set} />`}
      ${!person.main_caller && !person.verified &&
      html`<button type="button" class="plain small" aria-pressed=${ticks.absent} onClick=${() => set({ absent: !ticks.absent })}>
        ${t("monitor.identity.absent")}<span class="hidden-words"> ${person.name}</span>
      </button>`}
    </div>
  </fieldset>`;
}

/** @param {{ person: AttendeePart, ticks: import("../lib/identity.js").Ticks, set: (change: Partial<import("../lib/identity.js").Ticks>) => void }} props */
function DocumentSeen({ person, ticks, set }) {
  if (person.child) {
    const withAdult = ticks.document === "with_adult";
    return html`<label><input type="checkbox" checked=${withAdult} onChange=${() => set({ document: withAdult ? null : "with_adult" })} /> ${t("document.with_adult")}</label>`;
  }
  return html`<div class="documents" role="group" aria-label=${t("monitor.identity.document_of", { name: person.name })}>
    <span>${icon(ticks.document ? "tick" : "ring")}${t("monitor.identity.tick.document")}</span>
    ${DOCUMENTS.map(
      (code) => html`<button type="button" class="plain small" key=${code} data-document=${code} aria-pressed=${ticks.document === code} onClick=${() => set({ document: ticks.document === code ? null : code })}>${t(`document.${code}`)}</button>`,
    )}
  </div>`;
}

/** The photo on file, or that there is none. @param {{ callId: string, person: AttendeePart }} props */
function Photo({ callId, person }) {
  const [none, setNone] = useState(false);
  if (none) return html`<p class="photo photo-none">${t("monitor.identity.no_photo")}</p>`;
  return html`<img class="photo" src=${`/calls/${callId}/photos/${person.id}`} alt=${t("monitor.identity.photo_of", { name: person.name })} onError=${() => setNone(true)} />`;
}

/**
 * What is missing, by name and tick.
 * @param {AttendeePart[]} here
 * @param {IdentityState} panel
 */
export function missingWords(here, panel) {
  return here
    .map((person) => ({ person, missing: missingTicks(person, ticksOf(panel.ticks, person.id)) }))
    .filter(({ missing }) => missing.length)
    .map(({ person, missing }) => t("monitor.identity.missing.of", { name: person.name, ticks: missing.map((tick) => t(`monitor.identity.short.${tick}`)).join(", ") }))
    .join("; ");
}
