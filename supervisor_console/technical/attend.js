// @ts-check
/** The monitoring post asks the hall to attend: a takeover that rings until somebody answers, then how it ended. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { holdsOf, secondsLeft } from "../lib/calls.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { attendState, attendings } from "../lib/record.js";
import { ring } from "./bell.js";

/** @typedef {import("./hall.js").Hall} Hall */
/** @typedef {import("../lib/record.js").Attending} Attending */
/** @typedef {import("../../web/lib/protocol.js").AttendOutcome} AttendOutcome */

const OUTCOMES = /** @type {AttendOutcome[]} */ (["settled", "moved", "removed", "no_issue", "handed_over"]);

/** @param {Hall} hall @returns {Attending[]} */
function asked(hall) {
  const { records, calls, holds } = hall.session.board.value;
  return attendings(records, calls).filter(({ call }) => call.hall_id === holds?.hall_id);
}

/** Over the plan, never over the top bar: the oldest request that nobody has answered. @param {{ hall: Hall }} props */
export function Takeover({ hall }) {
  const ringing = asked(hall).filter(({ entry }) => ["waits", "escalated"].includes(attendState(entry)));
  const [first] = ringing;
  if (!first) return null;
  return html`<${Bell} key=${first.entry.id} hall=${hall} attending=${first} more=${ringing.length - 1} />`;
}

/** @param {{ hall: Hall, attending: Attending, more: number }} props */
function Bell({ hall, attending, more }) {
  const { call, entry } = attending;
  const go = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    go.current?.focus();
    const quiet = ring();
    return () => {
      quiet();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const escalated = entry.escalated_at !== null;
  const [worst] = holdsOf(call);
  return html`<div class="takeover-place">
    <section class="takeover" role="alertdialog" aria-labelledby="takeover-title" aria-describedby="takeover-why" data-attend=${entry.id}>
      <div class="takeover-head">
        ${icon("bell")}
        <div>
          <h2 id="takeover-title">${t("hall.attend.title", { seat: call.seat })}</h2>
          <p>${t("hall.attend.asked", { name: entry.by, time: timeOfDay(entry.at) })}</p>
        </div>
        ${escalated ? html`<p class="takeover-called">${t("hall.attend.called")}</p>` : html`<${Ring} hall=${hall} attending=${attending} />`}
      </div>
      <div class="takeover-body">
        <div id="takeover-why">
          <p class="quiet">${t("hall.attend.why")}</p>
          <p class="takeover-reason">${t(`attend.${entry.code}`)}</p>
          ${entry.text && html`<p class="written" dir="auto">${entry.text}</p>`}
        </div>
        <dl>
          <div><dt>${t("hall.attend.prisoner")}</dt><dd class="number">${call.prisoner_number} ${call.prisoner_initials}</dd></div>
          <div><dt>${t("hall.call")}</dt><dd>${worst ? t(`console.hold.${worst.kind}`) : t(`phase.${call.phase}`)}</dd></div>
        </dl>
      </div>
      <div class="takeover-do">
        <button type="button" class="primary huge" ref=${go} onClick=${() => answer(hall, attending, "attend.acknowledge")}>${icon("tick")}${t("hall.attend.going")}</button>
        ${!escalated && html`<button type="button" class="plain" onClick=${() => answer(hall, attending, "attend.escalate")}>${t("hall.attend.cannot")}</button>`}
      </div>
      <p class="takeover-foot">${icon("sound")}${t(escalated ? "hall.attend.ringing_on" : "hall.attend.ringing")} ${more > 0 && html`<b>${t("hall.attend.more", { n: more })}</b>`}</p>
    </section>
  </div>`;
}

/** The seconds that are left, as a number and a ring. @param {{ hall: Hall, attending: Attending }} props */
function Ring({ hall, attending }) {
  const { entry } = attending;
  const all = entry.until ? (Date.parse(entry.until) - Date.parse(entry.at)) / 1000 : 1;
  const left = Math.min(all, secondsLeft(entry.until, hall.session.now.value));
  const round = 2 * Math.PI * 44;
  return html`<p class="ring">
    <svg viewBox="0 0 104 104" aria-hidden="true" focusable="false">
      <circle cx="52" cy="52" r="44" fill="none" stroke-opacity="0.35" stroke="currentColor" stroke-width="10" />
      <circle cx="52" cy="52" r="44" fill="none" stroke="currentColor" stroke-width="10" stroke-dasharray=${`${(round * left) / all} ${round}`} transform="rotate(-90 52 52)" />
    </svg>
    <span aria-hidden="true"><b>${left}</b> ${t("hall.attend.left")}</span>
  </p>`;
}

/** @param {Hall} hall @param {Attending} attending @param {"attend.acknowledge" | "attend.escalate"} type */
function answer(hall, { call, entry }, type) {
  return hall.session.act({ type, call_id: call.id, attend_id: entry.id });
}

/** What was answered and is still open, with the outcomes that close it. @param {{ hall: Hall, callId?: string }} props */
export function Attendances({ hall, callId }) {
  const open = asked(hall).filter(({ call, entry }) => attendState(entry) !== "waits" && (callId === undefined || call.id === callId));
  if (!open.length) return null;
  return html`<section class="card card-attend" aria-labelledby="attend-title">
    <h3 id="attend-title">${t("hall.attend.open")}</h3>
    ${open.map(
      ({ call, entry }) => html`<div key=${entry.id} data-attending=${entry.id}>
        <p>${icon("bell")}<b>${t("hall.seat", { seat: call.seat })}</b> ${t(`attend.${entry.code}`)} <span class="quiet">${entry.acknowledged_by ? t("hall.attend.by", { name: entry.acknowledged_by }) : t("hall.attend.called")}</span></p>
        <fieldset class="why">
          <legend>${t("hall.attend.how")}</legend>
          ${OUTCOMES.map(
            (outcome) => html`<button type="button" class="plain" key=${outcome} onClick=${() => hall.session.act({ type: "attend.close", call_id: call.id, attend_id: entry.id, outcome })}>${t(`attend_outcome.${outcome}`)}</button>`,
          )}
        </fieldset>
      </div>`,
    )}
  </section>`;
}
