// @ts-check
/** The holds of a call as the technical post sees them: its own with buttons, the others with who opens them. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { clearedBy, holdsOf, mayClear, secondsLeft } from "../lib/calls.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";

/** @typedef {import("./hall.js").Hall} Hall */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").HoldPart} HoldPart */
/** @typedef {import("../../web/lib/protocol.js").PauseReason} PauseReason */

const REASONS = /** @type {PauseReason[]} */ ([
  "equipment",
  "welfare",
  "child_welfare",
  "conduct",
  "unlisted_person",
  "second_device",
  "public_place",
  "dress",
  "other",
]);

/** @param {{ hall: Hall, call: CallPart }} props */
export function Holds({ hall, call }) {
  if (!call.holds.length) return null;
  return html`<section class="card" aria-labelledby="holds-title">
    <h3 id="holds-title">${t("hall.holds")}</h3>
    ${hall.unrecorded.value && html`<p class="note">${icon("ring")}${t("hall.pause.not_recorded")}</p>`}
    <ul class="holds">
      ${holdsOf(call).map((hold) => html`<${Hold} key=${hold.id} hall=${hall} call=${call} hold=${hold} />`)}
    </ul>
  </section>`;
}

/** @param {{ hall: Hall, call: CallPart, hold: HoldPart }} props */
function Hold({ hall, call, hold }) {
  const now = hall.session.now.value;
  const mine = hold.post === "supervisor";
  const undo = mine ? secondsLeft(hold.undo_until, now) : 0;
  const relabel = mine && hold.kind === "security" && secondsLeft(hold.relabel_until, now) > 0;
  const word = t(`console.hold.${hold.kind}`);
  return html`<li class=${`hold hold-${hold.kind}`} data-hold=${hold.kind}>
    <p>
      ${icon(shapeOf(hold))}<strong>${word}</strong>
      <span class="quiet"> ${t("hall.hold.since", { time: timeOfDay(hold.placed_at) })}${hold.by ? ` ${t("hall.hold.by", { name: hold.by })}` : ""}</span>
    </p>
    ${hold.reason && html`<p>${t("hall.pause.reason_is", { reason: t(`pause.${hold.reason}`) })}</p>`}
    <div class="buttons">
      ${undo > 0 && html`<button type="button" class="undo" onClick=${() => hall.undo(call, hold)}>${icon("undo")}${t("hall.pause.undo", { n: undo })}</button>`}
      ${relabel && html`<button type="button" class="plain" onClick=${() => hall.relabel(call, hold)}>${icon("hexagon")}${t("hall.pause.relabel")}</button>`}
      ${mayClear(hold, "supervisor")
        ? html`<button type="button" class="primary" onClick=${() => hall.clear(call, hold)}>${icon("tick")}${t("hall.hold.clear", { hold: word })}</button>`
        : html`<p class="closed">${icon("lock")}${t(`hall.hold.opens.${clearedBy(hold)}`)}</p>`}
    </div>
    ${mine && hold.kind === "security" && !hold.reason && html`<${Why} hall=${hall} call=${call} hold=${hold} />`}
  </li>`;
}

/** @param {{ hall: Hall, call: CallPart, hold: HoldPart }} props */
function Why({ hall, call, hold }) {
  return html`<fieldset class="why">
    <legend>${t("hall.pause.why")}</legend>
    ${REASONS.map((reason) => html`<button type="button" class="plain" key=${reason} onClick=${() => hall.giveReason(call, hold, reason)}>${t(`pause.${reason}`)}</button>`)}
  </fieldset>`;
}

/** @param {HoldPart} hold */
function shapeOf(hold) {
  if (["security", "incident", "stood_down"].includes(hold.kind)) return "octagon";
  if (hold.kind === "technical") return "hexagon";
  return hold.kind === "interrupted" ? "link" : "unwatched";
}
