// @ts-check
/** What waits for the technical post, most urgent first, and what the broker told. */

import { html } from "htm/preact";

import { has, t } from "../../web/lib/text.js";
import { hourAndMinute, timeOfDay } from "../lib/clock.js";
import { holdsOf, mayClear } from "../lib/calls.js";
import { icon } from "../lib/icons.js";
import { Attendances } from "./attend.js";

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
  const told = hall.session.board.value.alerts.filter((alert) => !hall.read.value.has(alert.id)).slice(0, 6);
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
    ${told.length > 0 &&
    html`<section aria-labelledby="news-title">
      <h2 id="news-title">${t("hall.news")}</h2>
      <ul>
        ${told.map((alert) => {
          const words = has(`alert.${alert.code}`) ? t(`alert.${alert.code}`, { by: alert.by ?? "" }) : t("monitor.alert.other");
          return html`<li class="alert alert-told" key=${alert.id}>
            ${icon("dot")}
            <p><span class="alert-at">${timeOfDay(alert.at)}</span> ${words}</p>
            <button type="button" class="plain" onClick=${() => hall.markRead(alert.id)}>${t("hall.noted")}<span class="hidden-words">: ${words}</span></button>
          </li>`;
        })}
      </ul>
    </section>`}
    <${Coming} hall=${hall} />
  </aside>`;
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
