// @ts-check
/** A call's record: what the posts wrote, marked, checked and asked, newest first, each with who and when. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { secondsLeft } from "../lib/calls.js";
import { minutesAndSeconds, timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { attendState, entriesOf } from "../lib/record.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").RecordPart} RecordPart */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").WarningState} WarningState */

const SHAPES = { note: "note", bookmark: "bookmark", breach: "flag", identity: "person", attend: "bell", line: "say" };

/** @param {{ desk: Desk, callId: string }} props */
export function CallRecord({ desk, callId }) {
  const entries = entriesOf(desk.session.board.value.records, callId);
  return html`<section class="record" aria-labelledby="record-title" tabindex="0">
    <h3 id="record-title">${t("monitor.record")} <span class="amount">${t("monitor.record.entries", { n: entries.length })}</span></h3>
    ${entries.length === 0 && html`<p class="quiet">${t("monitor.record.none")}</p>`}
    <ol>${entries.map((entry) => html`<${Entry} key=${entry.id} desk=${desk} callId=${callId} entry=${entry} />`)}</ol>
  </section>`;
}

/** @param {{ desk: Desk, callId: string, entry: RecordPart }} props */
function Entry({ desk, callId, entry }) {
  const mine = entry.by === desk.session.board.value.you?.name;
  const left = entry.kind === "breach" && mine && !entry.withdrawn ? secondsLeft(entry.until, desk.session.now.value) : 0;
  return html`<li class=${`entry entry-${entry.kind}`} data-entry=${entry.id} data-withdrawn=${entry.withdrawn}>
    ${icon(SHAPES[entry.kind])}
    <div>
      <p><b>${titleOf(entry)}</b> <span class="quiet">${timeOfDay(entry.at)}${entry.clock_s === null ? "" : ` · ${t("monitor.record.clock", { time: minutesAndSeconds(entry.clock_s) })}`} · ${entry.by}</span></p>
      ${entry.text && html`<p class="written" dir="auto">${entry.text}</p>`}
      ${entry.kind === "identity" && entry.absent.length > 0 && html`<p>${t("monitor.record.absent", { names: entry.absent.join(", ") })}</p>`}
    </div>
    ${left > 0 && html`<button type="button" class="plain small" onClick=${() => desk.tasks.withdraw(callId, entry.id)}>${t("monitor.record.withdraw")} <span aria-hidden="true">${t("monitor.seconds", { n: left })}</span></button>`}
  </li>`;
}

/** @param {RecordPart} entry */
function titleOf(entry) {
  switch (entry.kind) {
    case "note":
      return t(`note.${entry.code}`);
    case "bookmark":
      return t("monitor.record.bookmark");
    case "breach":
      return t(entry.withdrawn ? "monitor.record.breach.withdrawn" : "monitor.record.breach", { category: t(`breach.${entry.code}`), outcome: t(`breach_outcome.${entry.outcome}`) });
    case "identity":
      return t("monitor.record.identity", { people: entry.people.map((one) => `${one.name} (${t(`document.${one.document}`)})`).join(", ") });
    case "attend":
      return attendWords(entry);
    case "line":
      return t(entry.post === "monitor" ? "monitor.record.to_hall" : "monitor.record.from_hall");
  }
}

/** How far a request to attend has come, in words. @param {RecordPart} entry */
export function attendWords(entry) {
  const reason = t(`attend.${entry.code}`);
  const state = attendState(entry);
  if (state === "closed") return t("monitor.attend.closed", { reason, outcome: t(`attend_outcome.${entry.outcome}`), name: entry.closed_by ?? "" });
  if (state === "going") return t("monitor.attend.going", { reason, name: entry.acknowledged_by ?? "" });
  return t(`monitor.attend.${state}`, { reason });
}

/** Whether each end has presented the last warning, and a way to give it again. @param {{ desk: Desk, call: CallPart }} props */
export function Receipts({ desk, call }) {
  const warning = desk.session.board.value.warnings.get(call.id);
  if (!warning) return null;
  const again = call.phase !== "ended" && warning.legs.some((leg) => leg.state === "missed");
  return html`<div class="receipts" role="status">
    <p>${t("monitor.warn.last", { warning: t(`warning.${warning.warning}`), time: timeOfDay(warning.at) })}</p>
    <ul>
      ${warning.legs.map((receipt) => {
        const leg = call.legs.find((one) => one.id === receipt.leg_id);
        const who = leg?.role === "prisoner" ? t("monitor.seat", { seat: call.seat }) : t("monitor.family");
        return html`<li key=${receipt.leg_id} data-receipt=${receipt.state}>${icon(RECEIPT_SHAPES[receipt.state])}${t(`monitor.receipt.${receipt.state}`, { who, n: receipt.after_s === null ? 0 : Math.max(1, Math.round(receipt.after_s)) })}</li>`;
      })}
    </ul>
    ${again && html`<button type="button" class="plain small" onClick=${() => desk.tasks.warnAgain(warning)}>${t("monitor.warn.again")}</button>`}
  </div>`;
}

const RECEIPT_SHAPES = { waiting: "ring", shown: "tick", late: "clock", missed: "cross" };
