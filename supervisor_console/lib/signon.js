// @ts-check
/** Signing on to a post, in three steps: who you are, what you will watch, the guidance in force. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { config } from "../../web/lib/config.js";
import { t } from "../../web/lib/text.js";
import { postKey } from "./board.js";
import { dayOf, timeOfDay } from "./clock.js";
import { icon } from "./icons.js";
import { refusalWords } from "./marking.js";
import { RefusedSignOn } from "./refused.js";
import { NotesBefore, ShiftOver } from "./shift.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./board.js").Board} Board */
/** @typedef {import("../../web/lib/protocol.js").RefusedMessage} Refused */
/** @typedef {import("../../web/lib/protocol.js").Post} Post */
/** @typedef {{ key: string, establishment: string, hall_id: string | null, name: string, pool: boolean, detail: string, synthetic: boolean, held: string }} Offer A place where the post may be taken; `held`: by whom it is held now, in words. */

const EVERYWHERE = "NATIONAL"; // what a console of every establishment is enrolled for
const REMEMBERED = "console.station";

/**
 * Every place where this page's post may be taken.
 * @param {Board} board
 * @param {Post} post
 * @returns {Offer[]}
 */
export function offersOf(board, post) {
  const offers = [];
  for (const may of board.you?.may ?? []) {
    if (!may.posts.includes(post)) continue;
    for (const hall of post === "monitor" ? [null] : may.halls) {
      const { establishment, synthetic } = may;
      const hall_id = hall?.id ?? null;
      offers.push({
        key: `${establishment} ${hall_id ?? ""}`,
        establishment,
        hall_id,
        name: may.pool ? t("console.sign_on.pool") : hall ? hall.name : may.name,
        pool: may.pool,
        detail: hall ? may.name : loadOf(board, establishment),
        synthetic,
        held: heldBy(board, post, establishment, hall_id),
      });
    }
  }
  return offers;
}

/** @param {Board} board @param {string} establishment */
function loadOf(board, establishment) {
  const station = board.stations.get(establishment);
  return station ? t("console.sign_on.load", { live: station.live, lobby: station.lobby }) : "";
}

/** @param {Board} board @param {Post} post @param {string} establishment @param {string | null} hall_id */
function heldBy(board, post, establishment, hall_id) {
  const station = board.stations.get(establishment);
  if (!station) return "";
  const part = station.posts.find((one) => postKey(one) === postKey({ establishment, hall_id, post }));
  const names = post === "monitor" ? station.monitors : part?.name ? [part.name] : [];
  return names.length ? t("console.sign_on.held_by", { name: names.join(", ") }) : t("console.sign_on.empty");
}

/** @param {{ session: Session }} props */
export function SignOn({ session }) {
  const board = session.board.value;
  const offers = offersOf(board, session.post);
  const [chosen, setChosen] = useState(/** @type {readonly string[]} */ (remembered()));
  const [read, setRead] = useState(false);
  const [refused, setRefused] = useState(/** @type {Refused | null} */ (null));
  const [busy, setBusy] = useState(false);
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => heading.current?.focus(), [refused !== null, board.known]);

  const known = offers.filter((offer) => chosen.includes(offer.key));
  const places = known.length ? known : offers.slice(0, 1);
  const guidance = board.you?.guidance;
  const agreed = read || guidance?.agreed === guidance?.version;

  /** @param {Event} event */
  async function signOn(event) {
    event.preventDefault();
    if (!places.length || busy || !agreed || !guidance) return;
    setBusy(true);
    const scope = places.map((offer) => offer.establishment);
    const answer = await session.signOn({ scope, hall_id: places[0]?.hall_id ?? null, guidance: guidance.version });
    setBusy(false);
    setRefused(answer);
    if (answer) return;
    session.left.value = session.over.value = null; // what was told of the post before
    session.off.value = false;
    localStorage.setItem(REMEMBERED, JSON.stringify(places.map((offer) => offer.key)));
  }

  /** @param {Offer} offer @param {boolean} on */
  function choose(offer, on) {
    if (session.post === "supervisor") return setChosen([offer.key]);
    const others = places.filter((one) => one.key !== offer.key && one.pool === offer.pool).map((one) => one.key); // the pool goes with nothing else
    setChosen(on ? [...others, offer.key] : others);
  }

  if (!board.you || !board.known) return html`<main class="sheet" id="main"><p role="status">${t("console.connecting")}</p></main>`;
  if (refused) return html`<${RefusedSignOn} session=${session} refused=${refused} heading=${heading} onBack=${() => setRefused(null)} />`;
  return html`<main class="sheet sign-on" id="main">
    <h1 tabindex="-1" ref=${heading}>${t(`console.sign_on.title.${session.post}`)}</h1>
    ${session.over.value && html`<p class="sign-on-box" role="status">${icon("tick")} ${overWords(session.over.value)}</p>`}
    <${Left} session=${session} />
    <${ShiftOver} session=${session} />
    ${offers.length
      ? html`<div class="sign-on-columns">
          <form onSubmit=${signOn}>
            <${You} board=${board} />
            <${Where} post=${session.post} offers=${offers} chosen=${places} onChoose=${choose} />
            <${Guidance} guidance=${board.you.guidance} read=${read} onRead=${setRead} />
            ${session.post === "monitor" && board.console && html`<${ThisBrowser} board=${board} part=${board.console} />`}
            <div class="sign-on-do">
              <button type="submit" class="primary big" aria-disabled=${busy || !agreed} aria-describedby="sign-on-opens">
                ${t(`console.sign_on.do.${session.post}`)}
              </button>
              <p id="sign-on-opens">${agreed ? t("console.sign_on.recorded") : t("console.sign_on.opens")}</p>
            </div>
          </form>
          <aside><${NotesBefore} notes=${notesAt(board, places)} /><${Now} board=${board} places=${places} /><${What} post=${session.post} /></aside>
        </div>`
      : html`<p class="refused-box">${icon("cross")} ${t(`console.sign_on.nowhere.${session.post}`)}</p>`}
    <${SignOut} />
  </main>`;
}

/** What the shift before left to read at the chosen places. @param {Board} board @param {Offer[]} places */
function notesAt(board, places) {
  const notes = places.flatMap((offer) => board.stations.get(offer.establishment)?.notes ?? []);
  return [...new Map(notes.map((note) => [note.id, note])).values()];
}

/** @param {{ n: number, name: string, id: string }} props */
function Step({ n, name, id }) {
  return html`<h2 class="sign-on-step" id=${id}><span class="sign-on-number" aria-hidden="true">${n}</span>${name}</h2>`;
}

/** @param {{ board: Board }} props */
function You({ board }) {
  const you = board.you;
  if (!you) return null;
  return html`<section aria-labelledby="step-you">
    <${Step} n=${1} name=${t("console.sign_on.step.you")} id="step-you" />
    <p class="sign-on-box">${icon("tick")} ${t("console.sign_on.you", { name: you.name, number: you.number, grade: t(`grade.${you.grade}`) })}</p>
  </section>`;
}

/** @param {{ post: Post, offers: Offer[], chosen: Offer[], onChoose: (offer: Offer, on: boolean) => void }} props */
function Where({ post, offers, chosen, onChoose }) {
  const kind = post === "monitor" ? "checkbox" : "radio";
  return html`<fieldset class="offers">
    <legend><span class="sign-on-number" aria-hidden="true">2</span>${t(`console.sign_on.where.${post}`)}</legend>
    ${offers.map(
      (offer) => html`<label class="offer" key=${offer.key}>
        <input
          type=${kind}
          name="station"
          checked=${chosen.includes(offer)}
          onChange=${(/** @type {Event} */ event) => onChoose(offer, /** @type {HTMLInputElement} */ (event.currentTarget).checked)}
        />
        <span>
          <strong>${offer.name}</strong>
          ${offer.synthetic && html`<span class="chip synthetic">${t("console.synthetic")}</span>`}
          <span class="offer-detail">${offer.detail}</span>
        </span>
        <span class="offer-held">${offer.held}</span>
      </label>`,
    )}
  </fieldset>`;
}

/** @param {{ guidance: import("../../web/lib/protocol.js").GuidancePart, read: boolean, onRead: (read: boolean) => void }} props */
function Guidance({ guidance, read, onRead }) {
  const { version, agreed } = guidance;
  return html`<section aria-labelledby="step-guidance">
    <${Step} n=${3} name=${t("console.sign_on.step.guidance")} id="step-guidance" />
    <div class="sign-on-box">
      <p><strong>${t("console.guidance.version", { version, date: dayOf(guidance.effective_from) })}</strong></p>
      <p class="sign-on-since">${t("console.guidance.changed")}</p>
      <ul class="sign-on-changes">${guidance.changes.map((key) => html`<li key=${key}>${t(key)}</li>`)}</ul>
      ${agreed === version
        ? html`<p>${icon("tick")} ${t("console.guidance.agreed", { version })}</p>`
        : html`<label class="sign-on-agree">
              <input
                type="checkbox"
                name="guidance"
                checked=${read}
                onChange=${(/** @type {Event} */ event) => onRead(/** @type {HTMLInputElement} */ (event.currentTarget).checked)}
              />
              ${t("console.guidance.agree", { version })}
            </label>
            ${agreed ? html`<p class="sign-on-since">${t("console.guidance.agreed", { version: agreed })}</p>` : null}`}
    </div>
  </section>`;
}

/** What this browser is enrolled as: read before the press. @param {{ board: Board, part: import("../../web/lib/protocol.js").ConsolePart }} props */
function ThisBrowser({ board, part }) {
  const { asset_tag, assured_until, establishment } = part;
  const known = board.you?.may.find((may) => may.establishment === establishment && !may.pool)?.name;
  const place = establishment === EVERYWHERE ? t("console.sign_on.console.everywhere") : (known ?? establishment ?? "");
  // An assurance that ends at midnight has the day before as its last.
  return html`<section class="sign-on-box" aria-labelledby="this-browser">
    <h3 id="this-browser">${t("console.sign_on.step.console")}</h3>
    ${asset_tag && assured_until && !part.code && html`<p>${icon("tick")} ${t("console.sign_on.console.is", { tag: asset_tag, place, date: dayOf(Date.parse(assured_until) - 1000) })}</p>`}
    ${part.code && html`<p class="sign-on-not">${icon("cross")} ${refusalWords(part.code)} ${asset_tag ? `(${asset_tag})` : null}</p>`}
    ${part.renew && !part.code && html`<p class="sign-on-since">${t("console.sign_on.console.renew")}</p>`}
  </section>`;
}

/** Why this page is off its post. @param {{ session: Session }} props */
function Left({ session }) {
  const left = session.left.value;
  if (!left || left.why === "handed_over") return null;
  const time = timeOfDay(left.now);
  return left.why === "transferred"
    ? html`<p class="sign-on-box" role="status">${icon("tick")} ${t("console.left.transferred", { time })}</p>`
    : html`<p class="refused-box" role="alert">${icon("cross")} ${t(`console.left.${left.why}`, { time })}</p>`;
}

/** How the chosen places stand now. @param {{ board: Board, places: Offer[] }} props */
function Now({ board, places }) {
  const halls = new Map(board.you?.may.flatMap((may) => may.halls.map((hall) => [hall.id, hall.name])));
  const stations = [...new Set(places.map((offer) => offer.establishment))].map((code) => board.stations.get(code));
  return html`<section class="sign-on-box" aria-labelledby="sign-on-now">
    <h2 id="sign-on-now">${t("console.sign_on.now")}</h2>
    ${stations.map(
      (station) =>
        station &&
        html`<dl key=${station.establishment}>
          <div><dt>${t("console.monitoring")}</dt><dd>${station.monitors.join(", ") || t("console.sign_on.empty")}</dd></div>
          ${station.posts
            .filter((part) => part.post === "supervisor")
            .map(
              (part) =>
                html`<div key=${part.hall_id}><dt>${t("console.technical")}<span>${halls.get(part.hall_id ?? "") ?? ""}</span></dt><dd>${part.name ?? t("console.sign_on.empty")}</dd></div>`,
            )}
          <div><dt>${t("console.sign_on.lobby")}</dt><dd>${station.lobby}</dd></div>
          <div><dt>${t("console.sign_on.live")}</dt><dd>${station.live}</dd></div>
        </dl>`,
    )}
  </section>`;
}

/** @param {{ post: Post }} props */
function What({ post }) {
  return html`<section class="sign-on-box" aria-labelledby="sign-on-does">
    <h2 id="sign-on-does">${t("console.sign_on.does")}</h2>
    <ul class="what">
      <li>${t("console.sign_on.named")}</li>
      <li>${t(`console.sign_on.lose.${post}`)}</li>
      <li>${t("console.sign_on.two_people")}</li>
    </ul>
  </section>`;
}

/** @param {import("../../web/lib/protocol.js").HandoverOver} over */
function overWords({ outcome, role, from_name, to_name, now }) {
  return t(`monitor.handover.${outcome}.${role}`, { from: from_name, to: to_name, time: timeOfDay(now) });
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

/** @returns {string[]} The places chosen last in this browser. */
function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(REMEMBERED) ?? "[]");
    return Array.isArray(kept) ? kept.filter((key) => typeof key === "string") : [];
  } catch {
    return [];
  }
}
