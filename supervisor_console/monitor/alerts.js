// @ts-check
/** The alert list of the rail: what asks for an act, in order, with whose it is, who took it, who closed it and when. */

import { html } from "htm/preact";
import { useComputed } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { has, t } from "../../web/lib/text.js";
import { amounts, choicesOf, isFor, looksOf, openByCall } from "../lib/alerts.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../lib/alerts.js").Row} Row */

const FILTERS = /** @type {const} */ (["open", "mine", "other", "done"]);
const AGE_STEP_S = 30; // ages are told in steps, so that the list is not drawn anew each second
const MOST_SHOWN = 120;

/** @param {{ desk: Desk }} props */
export function Alerts({ desk }) {
  const { alerts } = desk;
  const step = useComputed(() => Math.floor(desk.session.now.value / 1000 / AGE_STEP_S)).value;
  const rows = alerts.rows.value;
  const shown = alerts.shown.value.slice(0, MOST_SHOWN);
  const count = amounts(rows, "monitor");
  return html`<section class="alerts" aria-labelledby="alerts-title">
    <h2 id="alerts-title">${t("monitor.alerts")} <span class="amount">${t("monitor.alerts.amounts", count)}</span></h2>
    <div class="alert-filters" role="group" aria-label=${t("monitor.alerts.filter")}>
      ${FILTERS.map(
        (filter) => html`<button type="button" key=${filter} aria-pressed=${alerts.filter.value === filter} onClick=${() => (alerts.filter.value = filter)}>
          ${t(`monitor.alerts.filter.${filter}`)} ${count[filter]}
        </button>`,
      )}
      <${Codes} desk=${desk} rows=${rows} />
    </div>
    ${shown.length === 0 && html`<p class="quiet alerts-none">${t("monitor.alerts.none")}</p>`}
    <ol>
      ${shown.map((row) => html`<${AlertRow} key=${row.id} desk=${desk} row=${row} here=${alerts.at.value === row.id} step=${step} />`)}
    </ol>
    <${Urgent} desk=${desk} />
  </section>`;
}

/** The kinds that are there, to see one alone. @param {{ desk: Desk, rows: readonly Row[] }} props */
function Codes({ desk, rows }) {
  const { alerts } = desk;
  const codes = [...new Set(rows.filter((row) => row.alert).map((row) => row.code))].sort();
  return html`<select aria-label=${t("monitor.alerts.kind")} value=${alerts.code.value ?? ""} onChange=${(/** @type {any} */ event) => (alerts.code.value = event.target.value || null)}>
    <option value="">${t("monitor.alerts.kind.all")}</option>
    ${codes.map((code) => html`<option key=${code} value=${code} selected=${alerts.code.value === code}>${wordsOfCode(code)}</option>`)}
  </select>`;
}

/** @param {{ desk: Desk, row: Row, here: boolean, step: number }} props */
function AlertRow({ desk, row, here, step }) {
  const place = useRef(/** @type {HTMLLIElement | null} */ (null));
  useLayoutEffect(() => {
    if (here) /** @type {HTMLElement | null} */ (place.current?.querySelector("button") ?? place.current)?.focus();
  }, [here]);
  const { shape, look } = looksOf(row);
  const text = wordsOf(row);
  const where = whereWords(row);
  const canLook = !row.done && row.where !== null && row.where.place !== null;
  return html`<li ref=${place} tabindex="-1" class=${`alert alert-${look}`} data-alert=${row.code} data-state=${row.alert?.state ?? "state"} aria-current=${here ? "true" : "false"}>
    ${icon(shape)}
    <p class="alert-head">
      <span class="alert-at">${row.at ? timeOfDay(row.at) : ""}</span>
      <span class="alert-where">${where}</span>
    </p>
    <p class="alert-text">${text}</p>
    <p class="alert-whose">${whoseWords(row, step)}</p>
    <span class="alert-do">
      ${canLook &&
      html`<button type="button" class="plain" onClick=${() => desk.alerts.look(row)}>${t("monitor.alerts.look")}<span class="hidden-words">: ${where} ${text}</span></button>`}
      ${choicesOf(row, "monitor").map(
        (choice) => html`<button type="button" class="plain" key=${choice} onClick=${() => choose(desk, row, choice)}>
          ${t(`monitor.alerts.${choice}`)}<span class="hidden-words">: ${where} ${text}</span>
        </button>`,
      )}
    </span>
  </li>`;
}

/**
 * @param {Desk} desk
 * @param {Row} row
 * @param {"take" | "done" | "no_issue"} choice
 */
function choose(desk, row, choice) {
  if (choice === "take") void desk.alerts.take(row);
  else void desk.alerts.close(row, choice === "done" ? "dealt" : "no_issue");
}

/** Urgent alerts, said once by a screen reader. @param {{ desk: Desk }} props */
function Urgent({ desk }) {
  const rows = desk.alerts.urgent.value;
  return html`<p class="hidden-words" role="alert">${rows.map((row) => `${wordsOf(row)} ${whereWords(row)}`).join(". ")}</p>`;
}

/** How many alerts are open for a call. @param {{ desk: Desk, id: string }} props */
export function AlertCount({ desk, id }) {
  const count = useComputed(() => openByCall(desk.alerts.rows.value).get(id) ?? 0).value;
  if (!count) return null;
  return html`<span class="alert-count">${icon("bell")}<b>${count}</b><span class="hidden-words"> ${t("monitor.alerts.of_call")}</span></span>`;
}

/** The open alerts of the whole scope, for the top bar. @param {{ desk: Desk }} props */
export function AlertsOpen({ desk }) {
  const { open, mine } = amounts(desk.alerts.rows.value, "monitor");
  return html`<div class="count" data-bad=${desk.alerts.rows.value.some((row) => row.level === "urgent" && !row.done)}>
    <dt>${t("monitor.count.alerts")}</dt>
    <dd>${mine === open ? open : t("monitor.count.alerts.of", { open, mine })}</dd>
  </div>`;
}

/**
 * @param {Row} row
 * @returns {string}
 */
export function wordsOf(row) {
  if (!has(row.key)) return t("monitor.alert.other");
  return t(row.key, { by: row.by, ...Object.fromEntries(Object.entries(row.codes).map(([name, key]) => [name, t(key)])) });
}

/** @param {string} code */
function wordsOfCode(code) {
  return has(`alert.kind.${code}`) ? t(`alert.kind.${code}`) : t("monitor.alert.other");
}

/**
 * @param {Row} row
 * @returns {string} Which tile, whose call, which end.
 */
export function whereWords({ where }) {
  if (!where) return "";
  const tile = where.place === null ? [] : [t("monitor.alerts.tile", { place: where.place + 1 })];
  const end = where.end === null ? [] : [where.end === "seat" ? t("monitor.seat", { seat: where.seat }) : t("monitor.family")];
  return [...tile, where.number, ...end].join(" · ");
}

/**
 * @param {Row} row
 * @param {number} step Now, in steps of AGE_STEP_S since 1970.
 * @returns {string} Whose it is; who took it, or closed it, and when; how long nobody has.
 */
export function whoseWords(row, step) {
  const { alert } = row;
  const whose = t(`monitor.alerts.whose.${row.post ?? "both"}`);
  if (alert?.state === "cleared") {
    const time = timeOfDay(alert.cleared_at ?? alert.at);
    if (!alert.cleared_by) return t("monitor.alerts.by_itself", { time });
    return t(alert.outcome === "no_issue" ? "monitor.alerts.no_issue_by" : "monitor.alerts.done_by", { name: alert.cleared_by, time });
  }
  if (alert?.state === "acknowledged") return t("monitor.alerts.taken_by", { whose, name: alert.acked_by ?? "", time: timeOfDay(alert.acked_at ?? alert.at) });
  const minutes = row.at ? Math.floor((step * AGE_STEP_S - Date.parse(row.at) / 1000) / 60) : 0;
  if (alert && isFor(row, "monitor") && minutes >= 1) return t("monitor.alerts.waits", { whose, n: minutes });
  return whose;
}
