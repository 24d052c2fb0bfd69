// @ts-check
/** The hall page, whole: sign-on, then every seat, what waits, and the seat in hand. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { isOnWall, postKey } from "../lib/board.js";
import { changesBetween } from "../lib/changes.js";
import { scheme, setScheme } from "../lib/choices.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { Announcer, Official, Over, PostState, Refusal } from "../lib/marking.js";
import { SignOn } from "../lib/signon.js";
import { Takeover } from "./attend.js";
import { SeatPanel } from "./seat.js";
import { SeatCounts, Seats } from "./seats.js";
import { Tasks } from "./tasks.js";

/** @typedef {import("./hall.js").Hall} Hall */

const PRESENCE_MS = 1000;

/** @param {{ hall: Hall }} props */
export function App({ hall }) {
  const { session } = hall;
  useEffect(() => beHere(hall), []);
  useEffect(() => listen(hall), []);
  useAnnouncements(hall);
  if (session.link.value === "closed") return html`<${Frame}><${Over} session=${session} /><//>`;
  if (!session.onPost.value && !session.wanted.value) return html`<${Frame}><${SignOn} session=${session} /><//>`;
  return html`<div class="hall" data-stale=${session.stale.value} data-open=${hall.at.value !== null}>
    <${Official} where="top" note=${t("hall.marking")} />
    <${TopBar} hall=${hall} />
    <${Warnings} hall=${hall} />
    <main id="main" class="hall-main">
      <div class="hall-plan"><${Seats} hall=${hall} /><${SeatCounts} hall=${hall} /><${Colours} /></div>
      ${hall.at.value === null ? html`<${Tasks} hall=${hall} />` : html`<${SeatPanel} key=${hall.at.value} hall=${hall} />`}
    </main>
    <${Takeover} hall=${hall} />
    <${Refusal} session=${session} />
    <${Announcer} words=${hall.said.value} />
    <${Official} where="foot" note=${t("hall.marking")} />
  </div>`;
}

/** @param {{ children?: unknown }} props */
function Frame({ children }) {
  return html`<div class="frame"><${Official} where="top" />${children}<${Official} where="foot" /></div>`;
}

/** @param {Hall} hall */
function monitorOf(hall) {
  const { posts, holds } = hall.session.board.value;
  return posts.get(postKey({ establishment: holds?.establishment ?? "", hall_id: null, post: "monitor" }));
}

/** @param {{ hall: Hall }} props */
function TopBar({ hall }) {
  const { session } = hall;
  const board = session.board.value;
  const place = board.you?.may.find((may) => may.establishment === board.holds?.establishment);
  const name = place?.halls.find((one) => one.id === board.holds?.hall_id)?.name ?? "";
  return html`<header class="topbar">
    <div class="topbar-title">
      <h1>${t("hall.title")}</h1>
      <p>${name} · ${place?.name ?? ""}${place?.synthetic ? html` <span class="chip synthetic">${t("console.synthetic")}</span>` : null}</p>
    </div>
    <${PostState} session=${session} label=${t("console.monitoring")} post=${monitorOf(hall)} mine=${false} />
    <${PostState} session=${session} label=${t("console.technical")} post=${board.holds ?? undefined} mine=${true} />
    <p class="clock">${timeOfDay(session.now.value)}</p>
    <${Leave} hall=${hall} />
  </header>`;
}

/** @param {{ hall: Hall }} props */
function Leave({ hall }) {
  if (!hall.leaving.value) return html`<button type="button" class="plain" onClick=${() => (hall.leaving.value = true)}>${t("console.leave")}</button>`;
  const n = [...hall.session.board.value.calls.values()].filter((call) => isOnWall(call) && call.started_at).length;
  return html`<div class="leaving" role="group" aria-label=${t("hall.leave.title")}>
    <p>${t("hall.leave.calls", { n })}</p>
    <button
      type="button"
      class="end"
      onClick=${() => {
        hall.leaving.value = false;
        void hall.session.signOff();
      }}
    >
      ${t("console.leave")}
    </button>
    <button type="button" class="plain" onClick=${() => (hall.leaving.value = false)}>${t("console.close")}</button>
  </div>`;
}

function Colours() {
  const dark = scheme.value === "dark";
  return html`<p class="colours"><button type="button" class="plain" aria-pressed=${dark} onClick=${() => setScheme(dark ? "light" : "dark")}>${t("console.scheme.dark")}</button></p>`;
}

/** What stands above the plan until it is over. @param {{ hall: Hall }} props */
function Warnings({ hall }) {
  const { session } = hall;
  const state = monitorOf(hall)?.state ?? "off";
  return html`<div class="warnings" role="alert">
    ${session.stale.value
      ? html`<p class="warning-line">${icon("link")}${t("console.connecting")}. ${t("monitor.stale")}</p>`
      : state !== "on" && html`<p class="warning-line">${icon("unwatched")}${t(state === "lost" ? "hall.monitor_lost" : "hall.monitor_off")}</p>`}
  </div>`;
}

/** Each second: this page is open and visible, and whether somebody touched it. @param {Hall} hall */
function beHere(hall) {
  let n = 0;
  const timer = setInterval(() => {
    const heard = hall.session.board.peek().heard;
    if (!hall.session.onPost.value || heard === null) return;
    n += 1;
    hall.session.connection?.send({ type: "presence", n, heard, visible: document.visibilityState === "visible", touched: hall.touched });
    hall.touched = false;
  }, PRESENCE_MS);
  return () => clearInterval(timer);
}

/** @param {Hall} hall */
function listen(hall) {
  const touch = () => {
    hall.touched = true;
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    touch();
    if (event.key !== "Escape") return;
    if (hall.ending.value) hall.ending.value = null;
    else hall.close();
  };
  document.addEventListener("pointerdown", touch);
  document.addEventListener("keydown", key);
  return () => {
    document.removeEventListener("pointerdown", touch);
    document.removeEventListener("keydown", key);
  };
}

/** @param {Hall} hall */
function useAnnouncements(hall) {
  const board = hall.session.board.value;
  const before = useRef(board);
  useEffect(() => {
    const sayings = changesBetween(before.current, board);
    before.current = board;
    if (sayings.length) hall.say(sayings.map(worded).join(" "));
  }, [board]);
}

/** @param {import("../lib/changes.js").Saying} saying */
function worded({ key, values, codes }) {
  return t(key, { ...values, ...Object.fromEntries(Object.entries(codes).map(([name, code]) => [name, t(code)])) });
}
