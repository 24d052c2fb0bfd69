// @ts-check
/** The laptop before a call: starting, ready, seat being checked, out of service. */

import { isDemo } from "../lib/config.js";
import { Picture } from "../lib/media_view.js";
import { Button, Heading, LevelBar, noticeLine, useNow, useTitle, Warnings } from "../lib/parts.js";
import { has, t } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { html } from "../lib/ui.js";
import { CallStaff, Icon, Screen, SeatSide, Today } from "./screen.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */
/** @typedef {import("../lib/protocol.js").WaitPart} Wait */

export function Starting() {
  return html`<${Screen} title=${t("laptop.starting.title")}>
    <${Heading} quiet=${true}>${t("laptop.starting.title")}<//>
    <p role="status">${t("laptop.starting.text")}</p>
  <//>`;
}

/**
 * Dark and still, so that it can stand for hours. No name.
 * @param {{ leg: Leg }} props
 */
export function Ready({ leg }) {
  const now = useNow(() => leg.now());
  return html`<div class="split is-deep">
    <${SeatSide} leg=${leg} />
    <${Screen} title=${t("laptop.ready.title")} tone="deep" top=${html`<p>${t("laptop.name")}</p><${Today} leg=${leg} />`}
      foot=${html`<p class="good small"><${Icon} name="tick" /> <span>${t("laptop.ready.staff")}</span></p>`}>
      <${Heading}>${t("laptop.ready.title")}<//>
      <div><p class="next-label">${t("laptop.ready.next")}</p><p class="big-clock">${clock(now)}</p></div>
      <p>${t("laptop.ready.text")}</p>
    <//>
  </div>`;
}

/**
 * The seat is being checked: own picture under the camera, who is ready, no name of the visitors.
 * @param {{ leg: Leg, visit: Visit }} props
 */
export function Lobby({ leg, visit }) {
  const local = leg.media.value.local;
  const title = visit.screen === "lobby" ? t("laptop.lobby.title") : t("laptop.check.title");
  useTitle(`${title} – ${t("laptop.name")}`);
  return html`<div class="screen">
    <main class="seat-check">
      <div class="own-large">
        <${Picture} track=${local?.video ?? null} mirrored=${local?.camera === "ok"} label=${t("laptop.lobby.own_picture")} />
      </div>
      <div>
        <${Heading} key=${title}>${title}<//>
        ${visit.starts_at ? html`<p>${t("laptop.lobby.time", { time: clock(visit.starts_at) })}</p>` : null}
        ${visit.late_min > 0 ? html`<p class="inset">${t("laptop.lobby.late", { n: visit.late_min })}</p>` : null}
        ${local && (local.camera !== "ok" || local.microphone !== "ok") ? html`<p class="inset">${t("laptop.check.test_note")}</p>` : null}
        <${Warnings} leg=${leg} />
        <ul class="jobs" aria-live="polite">${visit.waiting.map((wait) => html`<${Job} wait=${wait} key=${wait.who} />`)}</ul>
        <p>${visit.screen === "lobby" ? t("laptop.lobby.talk") : t("laptop.check.text")}</p>
        <${LevelBar} track=${local?.audio ?? null} />
      </div>
    </main>
    <footer class="screen-foot">
      <div><p class="small">${t("laptop.lobby.who_sees")}</p><p class="small">${noticeLine(visit)}</p></div>
      <div class="buttons"><${CallStaff} leg=${leg} /></div>
    </footer>
  </div>`;
}

/**
 * @param {{ wait: Wait }} props
 */
function Job({ wait }) {
  const state = wait.ready ? "ready" : "waiting";
  return html`<li class=${`job is-${state}`}>
    <span>${t(`common.wait.${wait.who}.name`)}</span>
    <span class="job-state"><${Icon} name=${wait.ready ? "tick" : "hourglass"} />${t(`common.wait.${state}`)}</span>
  </li>`;
}

/**
 * First what the person does; then, small, what staff need to know.
 * @param {{ leg: Leg, code: string }} props
 */
export function OutOfService({ leg, code }) {
  const known = has(`laptop.out.${code}`) ? code : "closed";
  const again = leg.link.value === "closed" ? () => location.reload() : () => leg.open();
  const foot = html`<div class="for-staff"><strong>${t("laptop.out.for_staff")}</strong><span>${t(`laptop.out.${known}`)}</span></div>
    <div class="buttons">
      <${CallStaff} leg=${leg} />
      ${isDemo() && leg.link.value === "open" ? html`<${Button} kind="second" onClick=${() => leg.openStandIns()}>${t("laptop.out.use_test")}<//>` : null}
      <${Button} kind="second" icon="again" onClick=${again}>${t("laptop.out.again")}<//>
    </div>`;
  return html`<div class="split is-out">
    <${SeatSide} leg=${leg} />
    <${Screen} title=${t("laptop.out.title")} top=${html`<p>${t("laptop.name")}</p><${Today} leg=${leg} />`} foot=${foot}>
      <p class="stop-sign"><${Icon} name="tool" size=${64} /></p>
      <${Heading}>${t("laptop.out.title")}<//>
      <p>${t("laptop.out.text")}</p>
    <//>
  </div>`;
}
