// @ts-check
/** The top of the console: both posts, counts that agree with the wall, the layout, the clock. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { isOnWall } from "../lib/board.js";
import { isOverdue } from "../lib/attention.js";
import { isUnwatched } from "../lib/calls.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { CHOICES } from "../lib/layout.js";
import { PostState } from "../lib/marking.js";
import { ReliefButton } from "./relief.js";
import { AlertsOpen } from "./alerts.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../lib/board.js").Board} Board */

/**
 * What stands on the wall now; every figure is counted from the tiles themselves.
 * @param {Board} board
 * @param {ReadonlyMap<string, unknown>} hidden Calls that the page itself knows not to be in view.
 */
export function countsOf(board, hidden) {
  const calls = [...board.calls.values()].filter(isOnWall);
  return {
    live: calls.filter((call) => call.phase === "live").length,
    waiting: calls.filter((call) => call.phase !== "live").length,
    held: calls.filter((call) => call.holds.length > 0).length,
    unwatched: calls.filter((call) => isUnwatched(board, call) || isOverdue(board, call)).length,
    inView: calls.filter((call) => !call.privileged && !hidden.has(call.id)).length,
    hidden: calls.filter((call) => hidden.has(call.id)).length,
  };
}

/** @param {{ desk: Desk }} props */
export function TopBar({ desk }) {
  const { session } = desk;
  const board = session.board.value;
  const station = board.holds;
  const needed = new Set([...board.calls.values()].filter(isOnWall).map((call) => call.hall_id));
  const technical = [...board.posts.values()].filter(
    (post) => post.post === "supervisor" && (post.state !== "off" || needed.has(post.hall_id ?? "")),
  );
  const halls = new Map(board.you?.may.flatMap((may) => may.halls.map((hall) => [hall.id, hall.name])));
  const own = board.you?.may ?? [];
  const watched = station?.pool ? (board.relief?.watch ?? []).filter((place) => !own.some((may) => may.establishment === place.establishment)) : [];
  const places = [...own, ...watched.map((place) => ({ ...place, synthetic: false }))].filter((may) => station?.scope.includes(may.establishment));
  return html`<header class="topbar">
    <div class="topbar-title">
      <h1>${t("monitor.title")}</h1>
      <p>${station?.pool ? t("console.sign_on.pool") : ""}${station?.pool && places.length ? ": " : ""}${places.map((place) => place.name).join(", ")}${places.some((place) => place.synthetic) ? html` <span class="chip synthetic">${t("console.synthetic")}</span>` : null}</p>
    </div>
    <${PostState} session=${session} label=${t("console.monitoring")} post=${station ?? undefined} mine=${true} />
    ${technical.length
      ? technical.map(
          (post) =>
            html`<${PostState} key=${post.hall_id} session=${session} label=${t("console.technical")} post=${post} mine=${false} where=${halls.get(post.hall_id ?? "") ?? ""} />`,
        )
      : html`<${PostState} session=${session} label=${t("console.technical")} post=${undefined} mine=${false} needed=${needed.size > 0} />`}
    <${Counts} desk=${desk} />
    <${Layouts} desk=${desk} />
    <${Pages} desk=${desk} />
    <${Clock} desk=${desk} />
    <${ReliefButton} desk=${desk} />
    <button type="button" class="plain" onClick=${() => (desk.panel.value = { type: "leave" })}>${t("console.leave")}</button>
  </header>`;
}

/** @param {{ desk: Desk }} props */
function Counts({ desk }) {
  if (desk.session.stale.value) {
    return html`<div class="count count-bad count-stale" role="alert">${icon("link")}<p><strong>${t("monitor.stale")}</strong><span>${t("monitor.stale.more")}</span></p></div>`;
  }
  const counts = countsOf(desk.session.board.value, desk.hidden.value);
  return html`<dl class="counts">
    <div class="count"><dt>${t("monitor.count.live")}</dt><dd>${counts.live}</dd></div>
    <div class="count"><dt>${t("monitor.count.lobby")}</dt><dd>${counts.waiting}</dd></div>
    <div class="count"><dt>${t("monitor.count.held")}</dt><dd>${counts.held}</dd></div>
    <div class="count" data-bad=${counts.hidden > 0}><dt>${t("monitor.count.in_view")}</dt><dd>${counts.hidden ? t("monitor.count.in_view.of", { n: counts.inView, hidden: counts.hidden }) : counts.inView}</dd></div>
    <${AlertsOpen} desk=${desk} />
    <div class=${counts.unwatched ? "count count-bad" : "count"}><dt>${t("monitor.count.unwatched")}</dt><dd>${icon(counts.unwatched ? "unwatched" : "eye")}${counts.unwatched}</dd></div>
  </dl>`;
}

/** @param {{ desk: Desk }} props */
function Layouts({ desk }) {
  return html`<div class="layouts" role="group" aria-label=${t("monitor.layout")}>
    <button type="button" aria-pressed=${desk.choice.value === "auto"} onClick=${() => (desk.choice.value = "auto")}>${t("monitor.layout.auto")}</button>
    ${CHOICES.map(
      (size) =>
        html`<button type="button" aria-pressed=${desk.choice.value === size} aria-label=${t("monitor.layout.tiles", { n: size })} onClick=${() => (desk.choice.value = size)}>${size}</button>`,
    )}
  </div>`;
}

/** The pages of a layout with fewer tiles than calls. @param {{ desk: Desk }} props */
function Pages({ desk }) {
  const { page, pages } = desk.layout.value;
  if (pages < 2 || desk.focused.value) return null;
  const turn = (/** @type {1 | -1} */ step, /** @type {string} */ sign, /** @type {string} */ words, /** @type {boolean} */ last) =>
    html`<button type="button" aria-label=${words} aria-disabled=${last} onClick=${() => desk.turnPage(step)}>${sign}</button>`;
  return html`<div class="pages" role="group" aria-label=${t("monitor.pages")}>
    ${turn(-1, "‹", t("monitor.pages.back"), page === 0)}
    <span>${t("monitor.pages.of", { n: page + 1, of: pages })}</span>
    ${turn(1, "›", t("monitor.pages.next"), page === pages - 1)}
  </div>`;
}

/** @param {{ desk: Desk }} props */
function Clock({ desk }) {
  return html`<p class="clock">${timeOfDay(desk.session.now.value)}</p>`;
}
