// @ts-check
/** Who monitors an establishment, its own people or the national pool, and how that is passed. */

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").WatchPart} WatchPart */
/** @typedef {import("../../web/lib/protocol.js").TransferPart} TransferPart */
/** @typedef {import("../../web/lib/protocol.js").Reason} Reason */

const REASONS = /** @type {Reason[]} */ (["no_monitor", "short_of_staff", "fault", "end_of_cover", "other"]);

/** The establishments that this person may speak for, each with what can be proposed. @param {{ desk: Desk }} props */
export function Transfers({ desk }) {
  const relief = desk.session.board.value.relief;
  if (!relief?.watch.length) return null;
  return html`<section class="transfers" aria-labelledby="transfers-title">
    <h3 id="transfers-title">${t("monitor.transfer.title")}</h3>
    <ul class="relief-colleagues">
      ${relief.watch.map((place) => html`<${Place} key=${place.establishment} desk=${desk} place=${place} pool=${relief.pool} />`)}
    </ul>
  </section>`;
}

/** @param {{ desk: Desk, place: WatchPart, pool: boolean }} props */
function Place({ desk, place, pool }) {
  const [reason, setReason] = useState(/** @type {Reason} */ ("short_of_staff"));
  const to = place.side === "pool" ? "establishment" : "pool";
  const mine = (to === "pool") === pool;
  const propose = () => desk.session.act({ type: "monitoring.propose", establishment: place.establishment, to, reason });
  return html`<li>
    <p><strong>${place.name}</strong> <span class="quiet">${t(`monitor.transfer.side.${place.side}`)}</span></p>
    ${place.transfer
      ? html`<p class="quiet">${inWords(place.transfer)}</p>`
      : html`<label class="transfer-reason">
            ${t("monitor.transfer.reason")}
            <select value=${reason} onChange=${(/** @type {Event} */ event) => setReason(/** @type {Reason} */ (/** @type {HTMLSelectElement} */ (event.currentTarget).value))}>
              ${REASONS.map((code) => html`<option key=${code} value=${code}>${t(`transfer.${code}`)}</option>`)}
            </select>
          </label>
          <button type="button" class="plain" onClick=${propose}>${t(mine ? "monitor.transfer.take" : "monitor.transfer.give")}<span class="hidden-words">: ${place.name}</span></button>`}
  </li>`;
}

/** What waits for an answer, above the rail. @param {{ desk: Desk }} props */
export function TransferNotices({ desk }) {
  const going = (desk.session.board.value.relief?.watch ?? []).filter((place) => place.transfer);
  return going.map((place) => html`<${Going} key=${place.establishment} desk=${desk} place=${place} />`);
}

/** @param {{ desk: Desk, place: WatchPart }} props */
function Going({ desk, place }) {
  const { establishment, transfer } = place;
  if (!transfer) return null;
  const { session } = desk;
  const decline = () => session.act({ type: "monitoring.decline", establishment });
  return html`<section class="relief-box" data-transfer=${establishment}>
    <h2>${icon("person")}${t(`monitor.transfer.going.${transfer.to}`, { name: place.name })}</h2>
    <p>${inWords(transfer)}</p>
    <p>${t("monitor.transfer.why", { reason: t(`transfer.${transfer.reason}`) })}</p>
    ${!transfer.agreed &&
    html`<div class="buttons">
      ${!transfer.yours && html`<button type="button" class="primary" onClick=${() => session.act({ type: "monitoring.accept", establishment })}>${t("monitor.transfer.accept")}</button>`}
      <button type="button" class="plain" onClick=${decline}>${t(transfer.yours ? "monitor.handover.withdraw" : "monitor.transfer.decline")}</button>
    </div>`}
  </section>`;
}

/** @param {TransferPart} transfer */
function inWords(transfer) {
  const values = { by: transfer.by_name, time: timeOfDay(transfer.until) };
  return t(transfer.agreed ? "monitor.transfer.proving" : transfer.yours ? "monitor.transfer.waiting" : "monitor.transfer.asked", values);
}
