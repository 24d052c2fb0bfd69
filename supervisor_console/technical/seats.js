// @ts-check
/** Every seat of the hall as a card: one state in word, shape, colour and line, and whose call with how long left. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { holdsOf, lookOf, timeLeft } from "../lib/calls.js";
import { hourAndMinute } from "../lib/clock.js";
import { icon } from "../lib/icons.js";

/** @typedef {import("./hall.js").Hall} Hall */
/** @typedef {import("../../web/lib/protocol.js").SeatPart} SeatPart */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../lib/board.js").Board} Board */

const SHAPES = /** @type {Record<string, string>} */ ({
  out_of_use: "cross",
  offline: "link",
  free: "hollow",
  waiting: "person",
  verify: "person",
  ready: "tick",
  live: "dot",
  fault: "link",
  help: "hand",
  security: "octagon",
  technical: "hexagon",
  unwatched: "unwatched",
  link: "link",
});

/**
 * The look of a seat: its state, and for a held call what sort of hold it is, so that a fault never looks like a sanction.
 * @param {Board} board
 * @param {SeatPart} seat
 * @param {CallPart | undefined} call
 * @returns {string}
 */
export function lookOfSeat(board, seat, call) {
  if (!call?.holds.length || (seat.state !== "paused" && seat.state !== "fault")) return seat.state;
  const look = lookOf(board, call);
  return look === "calm" || look === "ended" ? seat.state : look;
}

/** @param {{ hall: Hall }} props */
export function Seats({ hall }) {
  const seats = hall.seats.value;
  if (!seats.length) return html`<p class="nothing">${t("hall.no_seats")}</p>`;
  return html`<ol class="seats" aria-label=${t("hall.seats")}>
    ${seats.map((seat) => html`<${Seat} key=${seat.id} hall=${hall} seat=${seat} />`)}
  </ol>`;
}

/** @param {{ hall: Hall, seat: SeatPart }} props */
function Seat({ hall, seat }) {
  const board = hall.session.board.value;
  const call = hall.callAt(seat);
  const look = lookOfSeat(board, seat, call);
  const [worst] = call ? holdsOf(call) : [];
  const here = hall.at.value === seat.id;
  return html`<li>
    <button
      type="button"
      class="seat"
      data-seat=${seat.number}
      data-look=${look}
      data-state=${seat.state}
      aria-current=${here ? "true" : "false"}
      onClick=${() => (here ? hall.close() : hall.open(seat.id))}
    >
      <span class="seat-head">
        <span class="place"><span class="hidden-words">${t("hall.seat", { seat: "" })}</span>${seat.number}</span>
        ${icon(SHAPES[look] ?? "hollow")}<b>${worst && look !== seat.state ? t(`console.hold.${worst.kind}`) : t(`state.${seat.state}`)}</b>
      </span>
      ${call
        ? html`<span class="seat-body">
            <span class="seat-line"><span class="number">${call.prisoner_number}</span> <${Minutes} hall=${hall} call=${call} /></span>
            <span class="seat-line quiet">${call.prisoner_initials} · ${t(`kind.${call.kind}`)}</span>
            ${call.synthetic && html`<span class="seat-line"><span class="chip synthetic">${t("console.synthetic")}</span></span>`}
          </span>`
        : html`<span class="seat-body"><span class="seat-line quiet">${t("hall.nobody")}</span></span>`}
      <span class="seat-foot quiet">${seat.asset_tag ? t("hall.laptop", { tag: seat.asset_tag }) : t("hall.no_laptop")}</span>
    </button>
  </li>`;
}

/** @param {{ hall: Hall, call: CallPart }} props */
function Minutes({ hall, call }) {
  if (!call.started_at) return html`<span>${t("hall.starts", { time: hourAndMinute(call.starts_at) })}</span>`;
  const left = Math.max(0, Math.ceil(timeLeft(hall.session.board.value, call, hall.session.now.value) / 60));
  return html`<span>${t("hall.minutes", { n: left })}</span>`;
}

/** How many seats are in each state: in words, so that a hall reads at a glance. @param {{ hall: Hall }} props */
export function SeatCounts({ hall }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const seat of hall.seats.value) counts.set(seat.state, (counts.get(seat.state) ?? 0) + 1);
  return html`<dl class="seat-counts" aria-label=${t("hall.counts")}>
    ${[...counts].map(([state, n]) => html`<div key=${state}><dt>${icon(SHAPES[state] ?? "octagon")} ${t(`state.${state}`)}</dt><dd>${n}</dd></div>`)}
  </dl>`;
}
