// @ts-check
/** What waits for the technical post, most urgent first, and what the broker told. */

import { html } from "htm/preact";

import { has, t } from "../../web/lib/text.js";
import { hourAndMinute, timeOfDay } from "../lib/clock.js";
import { choicesOf, isFor, looksOf, rowsOfAlerts } from "../lib/alerts.js";
import { holdsOf, mayClear } from "../lib/calls.js";
import { icon } from "../lib/icons.js";
import { Attendances } from "./attend.js";

const MOST_ALERTS = 8;

/** @typedef {import("./hall.js").Hall} Hall */
/** @typedef {{ seatId: string, shape: string, look: string, text: string }} Task */

/**
 * @param {Hall} hall
 * @returns {Task[]}
 */
export function tasksOf(hall) {
  /** @type {Task[]} */
  const tasks = [];
  for (const seat of hall.seats.value) {
    const call = hall.callAt(seat);
    const add = (/** @type {string} */ look, /** @type {string} */ shape, /** @type {string} */ text) => tasks.push({ seatId: seat.id, look, shape, text });
    if (seat.state === "help" || call?.help_asked) add("help", "hand", t("hall.task.help", { seat: seat.number }));
    if (seat.state === "verify") add("verify", "person", t("hall.task.verify", { seat: seat.number }));
    if (seat.state === "fault" && !call?.holds.length) add("link", "link", t("hall.task.fault", { seat: seat.number }));
    const yours = call && holdsOf(call).find((hold) => mayClear(hold, "supervisor"));
    if (yours) add("technical", "hexagon", t("hall.task.hold", { seat: seat.number, hold: t(`console.hold.${yours.kind}`) }));
  }
  const urgency = ["help", "verify", "link", "technical"];
  return tasks.sort((one, other) => urgency.indexOf(one.look) - urgency.indexOf(other.look));
}

/** @param {{ hall: Hall }} props */
export function Tasks({ hall }) {
  const tasks = tasksOf(hall);
  const rows = rowsOfAlerts(hall.session.board.value).filter((row) => !row.done && isFor(row, "supervisor")).slice(0, MOST_ALERTS);
  return html`<aside class="tasks" aria-label=${t("hall.tasks")}>
    <${Attendances} hall=${hall} />
    <section aria-labelledby="tasks-title">
      <h2 id="tasks-title">${t("hall.tasks")}</h2>
      ${tasks.length === 0 && html`<p class="quiet">${t("hall.tasks.none")}</p>`}
      <ul>
        ${tasks.map(
          (task) => html`<li class=${`alert alert-${task.look}`} key=${`${task.seatId} ${task.look}`}>
            ${icon(task.shape)}
            <p>${task.text}</p>
            <button type="button" class="plain" onClick=${() => hall.open(task.seatId)}>${t("hall.open")}<span class="hidden-words">: ${task.text}</span></button>
          </li>`,
        )}
      </ul>
    </section>
    ${rows.length > 0 &&
    html`<section aria-labelledby="news-title">
      <h2 id="news-title">${t("hall.news")}</h2>
      <ul>
        ${rows.map((row) => html`<${Told} key=${row.id} hall=${hall} row=${row} />`)}
      </ul>
    </section>`}
    <${Coming} hall=${hall} />
  </aside>`;
}

/** @param {{ hall: Hall, row: import("../lib/alerts.js").Row }} props */
function Told({ hall, row }) {
  const words = has(row.key) ? t(row.key, { by: row.by }) : t("monitor.alert.other");
  const call = row.callId === null ? undefined : hall.session.board.value.calls.get(row.callId);
  const { shape, look } = looksOf(row);
  const taken = row.alert?.acked_by;
  return html`<li class=${`alert alert-${look}`} data-alert=${row.code}>
    ${icon(shape)}
    <p>
      <span class="alert-at">${row.at ? timeOfDay(row.at) : ""}</span> ${call ? `${t("hall.seat", { seat: call.seat })}: ` : ""}${words}
      ${taken ? html` <span class="quiet">${t("hall.taken", { name: taken })}</span>` : null}
    </p>
    <span class="alert-do">
      ${choicesOf(row, "supervisor").map(
        (choice) => html`<button type="button" class="plain" key=${choice} onClick=${() => hall.answer(row.id, choice)}>
          ${t(`monitor.alerts.${choice}`)}<span class="hidden-words">: ${words}</span>
        </button>`,
      )}
    </span>
  </li>`;
}

/** @param {{ hall: Hall }} props */
function Coming({ hall }) {
  const coming = [...hall.session.board.value.calls.values()]
    .filter((call) => call.phase === "scheduled")
    .sort((one, other) => one.starts_at.localeCompare(other.starts_at) || one.seat - other.seat)
    .slice(0, 8);
  return html`<section aria-labelledby="coming-title">
    <h2 id="coming-title">${t("hall.coming")}</h2>
    ${coming.length === 0 && html`<p class="quiet">${t("hall.none_coming")}</p>`}
    <ul class="coming">
      ${coming.map((call) => html`<li key=${call.id}><b>${hourAndMinute(call.starts_at)}</b> ${t("hall.seat", { seat: call.seat })} <span class="number">${call.prisoner_number}</span></li>`)}
    </ul>
  </section>`;
}
