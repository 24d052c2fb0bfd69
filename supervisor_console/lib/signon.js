// @ts-check
/** Signing on to a post: who you are, where, and in plain words why not. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { config } from "../../web/lib/config.js";
import { t } from "../../web/lib/text.js";
import { postKey } from "./board.js";
import { icon } from "./icons.js";
import { refusalWords } from "./marking.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./session.js").Station} Station */
/** @typedef {import("./board.js").Board} Board */
/** @typedef {{ station: Station, name: string, detail: string, synthetic: boolean, held: string | null }} Offer `held` says who holds it, where this page knows. */

const REMEMBERED = "console.station";

/**
 * Every place where this page's post may be taken.
 * @param {Board} board
 * @param {import("../../web/lib/protocol.js").Post} post
 * @returns {Offer[]}
 */
export function offersOf(board, post) {
  const offers = [];
  for (const may of board.you?.may ?? []) {
    if (!may.posts.includes(post)) continue;
    const halls = post === "monitor" ? [null] : may.halls;
    for (const hall of halls) {
      const hall_id = hall?.id ?? null;
      const station = { scope: [may.establishment], hall_id };
      const held = board.posts.get(postKey({ establishment: may.establishment, hall_id, post }));
      offers.push({
        station,
        name: hall ? hall.name : may.name,
        detail: hall ? may.name : may.halls.map((one) => one.name).join(", "),
        synthetic: may.synthetic,
        held: held ? (held.state === "off" ? t("console.sign_on.empty") : t("console.sign_on.held_by", { name: held.name ?? "" })) : null,
      });
    }
  }
  return offers;
}

/** @param {{ session: Session }} props */
export function SignOn({ session }) {
  const board = session.board.value;
  const offers = offersOf(board, session.post);
  const [chosen, choose] = useState(remembered());
  const [refused, setRefused] = useState(/** @type {string | null} */ (null));
  const [busy, setBusy] = useState(false);
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => heading.current?.focus(), [refused !== null]);
  const at = Math.max(0, offers.findIndex((offer) => key(offer.station) === chosen));

  /** @param {Event} event */
  async function signOn(event) {
    event.preventDefault();
    const offer = offers[at];
    if (!offer || busy) return;
    setBusy(true);
    setRefused(null);
    const code = await session.signOn(offer.station);
    setBusy(false);
    setRefused(code);
    if (!code) localStorage.setItem(REMEMBERED, key(offer.station));
  }

  if (!board.you || !board.known) return html`<main class="sheet" id="main"><p role="status">${t("console.connecting")}</p></main>`;
  const title = refused ? t(`console.sign_on.refused.${session.post}`) : t(`console.sign_on.title.${session.post}`);
  return html`<main class="sheet" id="main">
    <h1 tabindex="-1" ref=${heading}>${title}</h1>
    ${refused && html`<div class="refused-box">${icon("cross")}<p>${refusalWords(refused)} ${t("console.sign_on.what_now")}</p></div>`}
    <p>${t("console.sign_on.you", { name: board.you.name, number: board.you.number, grade: t(`grade.${board.you.grade}`) })}</p>
    ${offers.length
      ? html`<form onSubmit=${signOn}>
          <fieldset class="offers">
            <legend>${t(`console.sign_on.where.${session.post}`)}</legend>
            ${offers.map((offer, index) => html`<${Choice} offer=${offer} checked=${index === at} onChoose=${() => choose(key(offer.station))} />`)}
          </fieldset>
          <ul class="what">
            <li>${t("console.sign_on.named")}</li>
            <li>${t(`console.sign_on.lose.${session.post}`)}</li>
            <li>${t("console.sign_on.two_people")}</li>
          </ul>
          <button type="submit" class="primary big" aria-disabled=${busy}>${t(`console.sign_on.do.${session.post}`)}</button>
        </form>`
      : html`<p class="refused-box">${icon("cross")} ${t(`console.sign_on.nowhere.${session.post}`)}</p>`}
    <${SignOut} />
  </main>`;
}

/** @param {{ offer: Offer, checked: boolean, onChoose: () => void }} props */
function Choice({ offer, checked, onChoose }) {
  return html`<label class="offer">
    <input type="radio" name="station" checked=${checked} onChange=${onChoose} />
    <span>
      <strong>${offer.name}</strong>
      ${offer.synthetic && html`<span class="chip synthetic">${t("console.synthetic")}</span>`}
      <span class="offer-detail">${offer.detail}</span>
    </span>
    ${offer.held && html`<span class="offer-held">${offer.held}</span>`}
  </label>`;
}

/** A form as on every staff page, with the token that goes with this sign-in. */
function SignOut() {
  /** @param {MouseEvent} event */
  const leave = (event) => /** @type {HTMLButtonElement} */ (event.currentTarget).form?.submit();
  return html`<form method="post" action="/sign-out" class="sign-out">
    <input type="hidden" name="csrf" value=${config()["csrf"] ?? ""} />
    <button type="button" class="plain" onClick=${leave}>${t("console.sign_out")}</button>
  </form>`;
}

/** @param {Station} station */
function key(station) {
  return `${station.scope.join(" ")} ${station.hall_id ?? ""}`;
}

function remembered() {
  return localStorage.getItem(REMEMBERED);
}
