// @ts-check
/** One seat in hand: the prisoner's check, the call, its holds, pause and end. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { isPresent, legsOf, linkWord, prisonerLeg, timeLeft } from "../lib/calls.js";
import { hourAndMinute, minutesAndSeconds } from "../lib/clock.js";
import { bars, icon } from "../lib/icons.js";
import { Attendances } from "./attend.js";
import { Holds } from "./holds.js";
import { PostLine } from "./line.js";
import { End } from "./end.js";
import { Patrol } from "./patrol.js";

/** @typedef {import("./hall.js").Hall} Hall */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").LegPart} LegPart */

/** @param {{ hall: Hall }} props */
export function SeatPanel({ hall }) {
  const { seat } = hall;
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  if (!seat) return null;
  const call = hall.callAt(seat);
  return html`<section class="seat-panel" aria-labelledby="seat-title" data-seat=${seat.number}>
    <header class="panel-head">
      <h2 id="seat-title" tabindex="-1" ref=${heading}>${t("hall.seat", { seat: seat.number })}: ${t(`state.${seat.state}`)}</h2>
      <button type="button" class="plain" onClick=${() => hall.close()}>${t("console.close")} <kbd>Esc</kbd></button>
    </header>
    ${call ? html`<${Call} hall=${hall} call=${call} />` : html`<p>${t("hall.no_call")}</p>`}
  </section>`;
}

/** @param {{ hall: Hall, call: CallPart }} props */
function Call({ hall, call }) {
  if (call.phase === "ended") {
    return html`<p>${icon("cross")}${t("hall.ended")}. ${call.outcome ? t(`outcome.${call.outcome}`) : ""}</p>`;
  }
  return html`<div class="seat-parts">
    ${call.synthetic && html`<p><span class="chip synthetic">${t("console.synthetic")}</span></p>`}
    ${call.help_asked && html`<p class="note">${icon("hand")}${t("hall.help", { seat: call.seat })}</p>`}
    <${Attendances} hall=${hall} callId=${call.id} />
    <${Stop} hall=${hall} call=${call} />
    <${Holds} hall=${hall} call=${call} />
    <${Patrol} hall=${hall} call=${call} />
    <${Verify} hall=${hall} call=${call} />
    <${Facts} hall=${hall} call=${call} />
    <${PostLine} hall=${hall} callId=${call.id} />
  </div>`;
}

/** What stops a call: always first, and large. @param {{ hall: Hall, call: CallPart }} props */
function Stop({ hall, call }) {
  const mine = call.holds.some((hold) => hold.post === "supervisor" && hold.kind === "security");
  const ending = hall.ending.value !== null;
  return html`<div class="stop">
    <div class="buttons">
      ${!mine && html`<button type="button" class="pause big" onClick=${() => hall.pause(call)}>${icon("octagon")}${t("hall.pause")}</button>`}
      ${!ending && html`<button type="button" class="end big" onClick=${() => (hall.ending.value = "asked")}>${icon("stop")}${t("hall.end")}</button>`}
    </div>
    <${End} hall=${hall} call=${call} />
    ${!mine && html`<p class="quiet">${t("hall.pause.who")}</p>`}
  </div>`;
}

/** @param {{ hall: Hall, call: CallPart }} props */
function Verify({ hall, call }) {
  const leg = prisonerLeg(call);
  if (!leg) return null;
  const ticks = hall.ticks.value;
  const all = ticks.has("number") && ticks.has("face");
  return html`<section class="card" aria-labelledby="verify-title">
    <h3 id="verify-title">${t("hall.verify.title")}</h3>
    <p class="big-number">${call.prisoner_number}</p>
    <p class="prisoner-name">${call.prisoner_name}</p>
    ${leg.verified
      ? html`<p class="done">${icon("tick")}${t("hall.verify.done")}</p>`
      : html`${!isPresentAtSeat(leg) && html`<p class="note">${t("hall.verify.not_yet", { step: t(`step.${leg.step}`) })}</p>`}
          <fieldset class="ticks">
            <legend class="hidden-words">${t("hall.verify.title")}</legend>
            <label><input type="checkbox" checked=${ticks.has("number")} onChange=${() => hall.tick("number")} /> ${t("hall.verify.number")}</label>
            <label><input type="checkbox" checked=${ticks.has("face")} onChange=${() => hall.tick("face")} /> ${t("hall.verify.face")}</label>
          </fieldset>
          ${all
            ? html`<button type="button" class="primary" onClick=${() => hall.verify(call)}>${icon("tick")}${t("hall.verify.do", { number: call.prisoner_number, seat: call.seat })}</button>`
            : html`<p class="closed">${icon("ring")}${t("hall.verify.opens")}</p>`}`}
  </section>`;
}

/** @param {{ hall: Hall, call: CallPart }} props */
function Facts({ hall, call }) {
  const left = timeLeft(hall.session.board.value, call, hall.session.now.value);
  const missing = call.missing.map((what) => t(`monitor.missing.${what}`)).join(", ");
  return html`<section class="card" aria-labelledby="facts-title">
    <h3 id="facts-title">${t("hall.call")}</h3>
    <dl class="facts">
      <div><dt>${t("hall.left")}</dt><dd>${call.started_at ? minutesAndSeconds(left) : t("hall.starts", { time: hourAndMinute(call.starts_at) })}</dd></div>
      ${!call.clock_runs && html`<div><dt>${icon("clock")}</dt><dd>${t("hall.clock_stopped")}</dd></div>`}
      ${call.credited_s > 0 && html`<div><dt>${t("hall.credited")}</dt><dd>${minutesAndSeconds(call.credited_s)}</dd></div>`}
      ${call.rebook_s > 0 && html`<div><dt>${t("hall.rebook")}</dt><dd>${minutesAndSeconds(call.rebook_s)}</dd></div>`}
      ${missing && html`<div><dt>${t("hall.waits")}</dt><dd>${missing}</dd></div>`}
      ${legsOf(call).map((leg) => html`<${Link} key=${leg.id} hall=${hall} leg=${leg} />`)}
    </dl>
  </section>`;
}

/** @param {{ hall: Hall, leg: LegPart }} props */
function Link({ hall, leg }) {
  const stale = hall.session.stale.value;
  const known = hall.session.board.value.health.get(leg.id);
  const health = stale || !known || !leg.connected ? "none" : known.health;
  const word = stale ? t("monitor.unknown") : t(linkWord(known, leg));
  return html`<div><dt>${t(leg.role === "prisoner" ? "hall.link.prisoner" : "hall.link.family")}</dt><dd>${bars(health)} ${word}</dd></div>`;
}

/** @param {LegPart} leg */
function isPresentAtSeat(leg) {
  return isPresent({ ...leg, consented: true }); // the notice is the family's; the prisoner's consent is not asked here
}
