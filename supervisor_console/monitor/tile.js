// @ts-check
/** One call on the wall: whose it is, both ends, how their links do, its time, its state in word, shape, colour and line. */

import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { clearedBy, contactNames, holdsOf, isSoundOnly, legToCheck, legsOf, linkWord, lookOf, secondsSince, timeLeft } from "../lib/calls.js";
import { offerOf, standingOf } from "../lib/attention.js";
import { hourAndMinute, minutesAndSeconds, timeOfDay } from "../lib/clock.js";
import { bars, icon } from "../lib/icons.js";
import { AlertCount } from "./alerts.js";
import { Curtain, Picture, side } from "./picture.js";
import { Padlock, looksAt } from "./privileged.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").LegPart} LegPart */
/** @typedef {import("../lib/calls.js").Look} Look */

const SHAPE = /** @type {Record<Look, string>} */ ({
  security: "octagon",
  technical: "hexagon",
  unwatched: "unwatched",
  link: "link",
  ended: "cross",
  calm: "dot",
});

/** @param {{ desk: Desk, id: string, place: number }} props */
export function Tile({ desk, id, place }) {
  const board = desk.session.board.value;
  const call = board.calls.get(id);
  if (!call) return null;
  const look = lookOf(board, call);
  const here = desk.at.value === id;
  return html`<article class="tile" data-call=${id} data-look=${look} data-tier=${call.tier} data-here=${here} data-check=${board.check?.call_id === id} aria-label=${nameOf(call, place)}>
    <${Head} desk=${desk} call=${call} place=${place} look=${look} />
    <p class="tile-who">
      <span class="tile-names">${contactNames(call).join(", ")}</span>
      <span>${t(`kind.${call.kind}`)} · ${t("monitor.seat_of_hall", { seat: call.seat, hall: call.hall })}</span>
    </p>
    <${Pictures} desk=${desk} call=${call} look=${look} />
    <${Healths} desk=${desk} call=${call} />
    <div class="tile-foot">
      <${TimeLeft} desk=${desk} call=${call} />
      <${Looked} desk=${desk} call=${call} />
      <${CheckMark} desk=${desk} id=${id} />
      <${AlertCount} desk=${desk} id=${id} />
      ${call.phase !== "ended" && html`<${Quick} desk=${desk} call=${call} />`}
    </div>
  </article>`;
}

/** @param {{ desk: Desk, call: CallPart, place: number, look: Look }} props */
function Head({ desk, call, place, look }) {
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const here = desk.at.value === call.id;
  useLayoutEffect(() => {
    const at = document.activeElement;
    if (here && (at === document.body || button.current?.closest(".wall")?.contains(at))) button.current?.focus();
  }, [here]);
  const heard = hears(desk, call);
  return html`<header class="tile-head">
    <button
      type="button"
      class="tile-name"
      ref=${button}
      data-tile=${call.id}
      tabindex=${here ? 0 : -1}
      aria-current=${here ? "true" : "false"}
      onFocus=${() => desk.select(call.id)}
      onClick=${() => desk.focus(call.id)}
    >
      <span class="place">${place + 1}</span>
      <span class="number">${call.prisoner_number}</span>
      <span class="initials">${call.prisoner_initials}</span>
      <span class="hidden-words">${t("monitor.tile.focus")}</span>
    </button>
    <span class=${`state state-${look}`} title=${stateWord(desk, call, look)}>${icon(SHAPE[look])}<span>${stateWord(desk, call, look)}</span></span>
    ${heard && html`<span class="state state-sound">${icon("sound")}${t("monitor.sound_on")}</span>`}
    ${call.synthetic && html`<span class="chip synthetic">${t("console.synthetic")}</span>`}
    <span class=${`chip tier tier-${call.tier}`}><${ByRoom} long=${t(`monitor.tier.${tierOf(call)}`)} short=${t("monitor.tier.short", { n: tierOf(call) })} /></span>
  </header>`;
}

/** @param {{ desk: Desk, call: CallPart, look: Look }} props */
export function Pictures({ desk, call, look }) {
  const held = call.holds.length > 0;
  const old = desk.session.stale.value ? desk.session.board.value.heardAt : null;
  if (call.phase === "ended") {
    return html`<div class="pics"><div class="curtain curtain-ended">${icon("cross")}<strong>${t("monitor.ended")}</strong><span>${endWords(call)}</span></div></div>`;
  }
  if (call.privileged && !held && !looksAt(desk, call)) return html`<${Padlock} desk=${desk} call=${call} />`;
  return html`<div class="pics" data-old=${old !== null} data-legs=${call.legs.length}>
    ${held
      ? html`<${Curtain} desk=${desk} call=${call} look=${look}><${HoldWords} desk=${desk} call=${call} look=${look} /><//>`
      : legsOf(call).map((leg) => html`<${Picture} key=${leg.id} desk=${desk} call=${call} leg=${leg} />`)}
    ${old !== null && html`<p class="old">${t("monitor.old_picture")}</p>`}
  </div>`;
}

/** @param {{ desk: Desk, call: CallPart, look: Look }} props */
export function HoldWords({ desk, call, look }) {
  const [worst, ...more] = holdsOf(call);
  if (!worst) return null;
  return html`<div class="hold-words">
    ${icon(SHAPE[look])}
    <div>
      <strong>${t(`console.hold.${worst.kind}`)}</strong>
      <span>${t("monitor.hold.since", { time: timeOfDay(worst.placed_at) })}${worst.reason ? ` · ${t(`pause.${worst.reason}`)}` : ""}</span>
      <span>${t(`monitor.hold.clears.${clearedBy(worst)}`)}</span>
      ${more.length > 0 && html`<span>${t("monitor.hold.more", { n: more.length })}</span>`}
    </div>
  </div>`;
}

/** @param {{ desk: Desk, call: CallPart }} props */
export function Healths({ desk, call }) {
  if (call.phase === "ended") return null;
  return html`<div class="healths">${legsOf(call).map((leg) => html`<${Health} key=${leg.id} desk=${desk} call=${call} leg=${leg} />`)}</div>`;
}

/** @param {{ desk: Desk, call: CallPart, leg: LegPart }} props */
function Health({ desk, call, leg }) {
  const stale = desk.session.stale.value;
  const known = desk.session.board.value.health.get(leg.id);
  const health = stale || !known ? "none" : known.health;
  const weak = call.phase === "live" && !stale && (health === "poor" || health === "bad" || isSoundOnly(known));
  const lost = call.phase === "live" && !stale && !leg.connected;
  const word = stale ? "monitor.unknown" : lost ? "monitor.link_lost" : linkWord(known, leg);
  return html`<p class="health" data-weak=${weak || lost} title=${t(word)}>
    <span>${side(leg) === "seat" ? t("monitor.seat", { seat: call.seat }) : t("monitor.family")}</span>
    ${lost ? icon("link") : weak ? icon("weak") : bars(health)}
    <strong><${ByRoom} long=${t(word)} short=${t(`${word}.short`)} /></strong>
    <${Level} level=${stale ? 0 : (known?.level ?? 0)} />
  </p>`;
}

/** Words, and what stands for them where a tile is narrow; the words are read aloud in both. @param {{ long: string, short: string }} props */
function ByRoom({ long, short }) {
  return html`<span class="long">${long}</span><span class="short" aria-hidden="true">${short}</span>`;
}

/**
 * How loud a leg is, from the news of each second: a shape only, since the words would tick.
 * @param {{ level: number }} props From 0 to 1.
 */
function Level({ level }) {
  const filled = Math.round(Math.min(1, Math.max(0, level)) * 6);
  return html`<span class="level" aria-hidden="true">${[0, 1, 2, 3, 4, 5].map((at) => html`<i data-on=${at < filled}></i>`)}</span>`;
}

/** @param {{ desk: Desk, call: CallPart }} props */
export function TimeLeft({ desk, call }) {
  const now = desk.session.now.value;
  if (call.phase === "ended") return html`<p class="time">${icon("clock")}${t("monitor.ended")}</p>`;
  if (!call.started_at) {
    const wait = (Date.parse(call.starts_at) - now) / 1000;
    const words = wait > 0 ? t("monitor.starts_in", { time: minutesAndSeconds(wait) }) : t("monitor.due_at", { time: hourAndMinute(call.starts_at) });
    return html`<p class="time">${icon("clock")}${words}</p>`;
  }
  const left = minutesAndSeconds(timeLeft(desk.session.board.value, call, now));
  return html`<p class="time">${icon("clock")}<span class="hidden-words">${t("monitor.left")} </span><b>${left}</b>${
    call.clock_runs ? null : html` <span>${t("monitor.clock_stopped")}</span>`
  }</p>`;
}

/** @param {{ desk: Desk, call: CallPart }} props */
function Looked({ desk, call }) {
  if (call.phase !== "live") return html`<p class="waits" title=${missingWords(call)}><${ByRoom} long=${missingWords(call)} short="" /></p>`;
  if (call.privileged) return html`<p class="looked">${icon("lock")}${t("monitor.privileged.looks", { n: call.privileged.looks })}</p>`;
  if (desk.session.stale.value) return html`<p class="looked">${icon("eye")}<${ByRoom} long=${t("monitor.looked.unknown")} short=${t("monitor.unknown.short")} /></p>`;
  if (desk.focused.value === call.id) return html`<p class="looked">${icon("eye")}${t("monitor.looked.now")}</p>`;
  const board = desk.session.board.value;
  const offer = offerOf(board, call);
  if (offer?.mine) return html`<${OfferedToYou} desk=${desk} call=${call} />`;
  const standing = standingOf(board, call, desk.session.now.value);
  if (standing && !standing.inFocus) return html`<${LookBar} standing=${standing} to=${offer?.name ?? ""} />`;
  const ago = secondsSince(call.looked_at, desk.session.now.value);
  return html`<p class="looked">${icon("eye")}${ago === null ? t("monitor.looked.never") : html`<${Ago} seconds=${ago} />`}</p>`;
}

/** @param {{ seconds: number }} props */
function Ago({ seconds }) {
  return html`<${ByRoom} long=${t("monitor.looked.ago", { n: seconds })} short=${t("monitor.looked.ago.short", { n: seconds })} />`;
}

/** A look that is due of a call that another monitor covers: this one is asked for it. @param {{ desk: Desk, call: CallPart }} props */
function OfferedToYou({ desk, call }) {
  return html`<button type="button" class="looked offered-to-you" onClick=${() => desk.focus(call.id)}>
    ${icon("eye")}<${ByRoom} long=${t("monitor.attention.offered.you")} short=${t("monitor.attention.offered.you.short")} /> <kbd>G</kbd><span class="hidden-words"> ${call.prisoner_number}</span>
  </button>`;
}

/**
 * How long ago the last look was, with a bar to the limit.
 * @param {{ standing: import("../lib/attention.js").Standing, to: string }} props `to`: the monitor to whom the look was offered.
 */
function LookBar({ standing, to }) {
  const { seconds, limit, state } = standing;
  const late = state === "overdue" || state === "offered";
  if (!late) {
    return html`<p class="looked" data-state=${state}>
      ${icon("eye")}<${Ago} seconds=${seconds} />
      <span class="looked-bar" aria-hidden="true"><i style=${{ width: `${Math.min(100, Math.round(standing.share * 100))}%` }}></i></span>
    </p>`;
  }
  const words = t("monitor.attention.late", { n: seconds, limit });
  const [long, short, all] = to
    ? [t("monitor.attention.offered.to", { name: to }), t("monitor.attention.offered.to.short", { name: to }), `${words}. ${t("monitor.attention.offered.to", { name: to })}`]
    : [words, t("monitor.attention.late.short", { n: seconds, limit }), words];
  return html`<p class="looked" data-state=${state} title=${all}>${icon("unwatched")}<${ByRoom} long=${long} short=${short} /></p>`;
}

/** The ring of an attention check at its tile. @param {{ desk: Desk, id: string }} props */
export function CheckMark({ desk, id }) {
  const check = desk.session.board.value.check;
  if (check?.call_id !== id) return null;
  return html`<button type="button" class="plain check-letter" onClick=${() => desk.answerCheck(id, null)}>
    ${check.letter}<span class="hidden-words"> ${t("monitor.check.answer")}</span>
  </button>`;
}

/** @param {{ desk: Desk, call: CallPart }} props */
function Quick({ desk, call }) {
  const check = call.phase === "lobby" ? legToCheck(call) : undefined;
  return html`<span class="quick">
    ${check &&
    html`<button type="button" class="plain" onClick=${() => desk.openIdentity(call.id)}>
      ${t("monitor.identity.check.short")}<span class="hidden-words"> ${call.prisoner_number}</span>
    </button>`}
    <button type="button" class="pause" onClick=${() => desk.pause(call.id)}>
      ${icon("octagon")}<span class="word">${t("monitor.pause")}</span><span class="hidden-words"> ${call.prisoner_number}</span>
    </button>
  </span>`;
}

/** A call of the strip: live as well, so that no layout hides one. @param {{ desk: Desk, id: string, place: number }} props */
export function StripCell({ desk, id, place }) {
  const board = desk.session.board.value;
  const call = board.calls.get(id);
  if (!call) return null;
  const look = lookOf(board, call);
  const mine = offerOf(board, call)?.mine ?? false;
  return html`<article class="cell" data-call=${id} data-look=${look} data-here=${desk.at.value === id} data-check=${board.check?.call_id === id} aria-label=${nameOf(call, place)}>
    <button type="button" class="cell-name" data-tile=${id} onClick=${() => desk.focus(id)}>
      <span class="place">${place + 1}</span>
      ${icon(SHAPE[look])}
      ${mine && html`<kbd>G</kbd>`}
      <span class="hidden-words">${nameOf(call, place)}. ${stateWord(desk, call, look)}</span>
    </button>
    <${CheckMark} desk=${desk} id=${id} />
    <${CellPictures} desk=${desk} call=${call} look=${look} />
  </article>`;
}

/** A call of the strip that stands in the grid: its place and its state, so that the strip has every call. @param {{ desk: Desk, id: string, place: number }} props */
export function StripMark({ desk, id, place }) {
  const board = desk.session.board.value;
  const call = board.calls.get(id);
  if (!call) return null;
  const look = lookOf(board, call);
  return html`<button type="button" class="mark" data-mark=${id} data-look=${look} data-here=${desk.at.value === id} tabindex="-1" onClick=${() => desk.focus(id)}>
    <span class="place">${place + 1}</span>
    ${icon(SHAPE[look])}
    <span class="hidden-words">${nameOf(call, place)}. ${stateWord(desk, call, look)}</span>
  </button>`;
}

/** @param {{ desk: Desk, call: CallPart, look: Look }} props */
function CellPictures({ desk, call, look }) {
  if (call.phase === "ended") return html`<div class="pics"><div class="curtain curtain-ended">${t("monitor.ended")}</div></div>`;
  if (call.privileged && !call.holds.length && !looksAt(desk, call)) return html`<${Padlock} desk=${desk} call=${call} />`;
  return html`<div class="pics" data-old=${desk.session.stale.value} data-legs=${call.legs.length}>
    ${call.holds.length
      ? html`<${Curtain} desk=${desk} call=${call} look=${look}><span>${stateWord(desk, call, look)}</span><//>`
      : legsOf(call).map((leg) => html`<${Picture} key=${leg.id} desk=${desk} call=${call} leg=${leg} />`)}
  </div>`;
}

/**
 * @param {Desk} desk
 * @param {CallPart} call
 * @param {Look} look
 * @returns {string}
 */
export function stateWord(desk, call, look) {
  if (desk.session.stale.value) return t("monitor.unknown");
  const [worst] = holdsOf(call);
  if (worst) return t(`console.hold.${worst.kind}`);
  if (offerOf(desk.session.board.value, call)?.mine) return t("monitor.attention.offered.you");
  if (look === "unwatched") return t(call.alarm === "unsupervised" ? "monitor.unsupervised" : "monitor.unwatched");
  if (look === "link") return t("monitor.weak");
  return t(`phase.${call.phase}`);
}

/**
 * @param {CallPart} call
 * @returns {string} What the start still waits for.
 */
export function missingWords(call) {
  if (!call.missing.length) return "";
  return t("monitor.waits_for", { list: call.missing.map((what) => t(`monitor.missing.${what}`)).join(", ") });
}

/**
 * @param {CallPart} call
 * @returns {string}
 */
export function endWords(call) {
  const how = call.outcome ? t(`outcome.${call.outcome}`) : "";
  return call.ended_by ? t("monitor.ended_by", { how, name: call.ended_by }) : how;
}

/**
 * @param {CallPart} call
 * @param {number} place
 * @returns {string}
 */
function nameOf(call, place) {
  return t("monitor.tile.name", { place: place + 1, number: call.prisoner_number, initials: call.prisoner_initials });
}

/**
 * @param {Desk} desk
 * @param {CallPart} call
 * @returns {boolean} Whether the lines of sound carry this call, by the relay's own word, and nothing holds it.
 */
export function hears(desk, call) {
  if (call.holds.length || call.phase === "ended") return false;
  return desk.session.board.value.lines.some((line) => line.kind === "audio" && line.call_id === call.id);
}

/** @param {CallPart} call */
function tierOf(call) {
  return call.tier >= 1 && call.tier <= 3 ? call.tier : 3;
}
