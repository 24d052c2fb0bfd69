// @ts-check
/** The lobby: whom we wait for, in jobs and reasons; never a spinner, never a queue number (features F16). */

import { Icon } from "../lib/icons.js";
import { Looks } from "../lib/looks.js";
import { Picture } from "../lib/media_view.js";
import { Heading, LevelBar, noticeLine, otherNames, useNow, Warnings } from "../lib/parts.js";
import { has, t } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { html } from "../lib/ui.js";
import { DeviceChoice } from "./before.js";
import { Hand } from "./hand.js";
import { Page } from "./page.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */
/** @typedef {import("../lib/protocol.js").WaitPart} Wait */

/**
 * @param {{ leg: Leg, visit: Visit }} props
 */
export function Lobby({ leg, visit }) {
  const now = useNow(() => leg.now());
  const ready = visit.waiting.filter((wait) => wait.ready).length;
  const local = leg.media.value.local;
  return html`<${Page} title=${t("family.lobby.title")}>
    <p class="step">${t("family.lobby.now", { time: clock(now) })}</p>
    <${Heading}>${t("family.lobby.title")}<//>
    <p>${t("family.lobby.text")}</p>
    <${Warnings} leg=${leg} />
    <div role="alert">${leg.refused.value ? html`<p class="error">${t("family.lobby.refused")}</p>` : null}</div>
    <${Late} visit=${visit} />
    <${Looks} leg=${leg} visit=${visit} mayRefuse=${true} />
    <section aria-live="polite">
      ${visit.waiting.length
        ? html`<h2>${t("family.lobby.ready", { n: ready, of: visit.waiting.length })}</h2>
            <ul class="jobs">${visit.waiting.map((wait) => html`<${Job} wait=${wait} name=${whose(wait, visit)} key=${wait.who} />`)}</ul>`
        : null}
    </section>
    <section class="own">
      <${Picture} track=${local?.video ?? null} mirrored=${local?.camera === "ok"} label=${t("family.check.own_picture")} />
      <div>
        <p><strong>${t("family.lobby.who_sees")}</strong></p>
        <p class="small">${t("family.lobby.screen_on")}</p>
        <${LevelBar} track=${local?.audio ?? null} />
      </div>
    </section>
    <${Hand} leg=${leg} visit=${visit} />
    <details class="more"><summary>${t("family.lobby.devices")}</summary><${DeviceChoice} leg=${leg} /><p class="small">${t("family.lobby.devices_more")}</p></details>
    <p class="notice-line is-boxed"><${Icon} name="eye" /> <span>${noticeLine(visit)}</span></p>
  <//>`;
}

/**
 * @param {{ visit: Visit }} props
 */
function Late({ visit }) {
  if (visit.late_min < 1) return null;
  return html`<div class="late">
    <${Icon} name="clock" />
    <div><strong>${t("family.lobby.late", { n: visit.late_min })}</strong><p>${t("family.lobby.late_more")}</p></div>
  </div>`;
}

/**
 * The prisoner has a name here; everybody else is what they do.
 * @param {Wait} wait
 * @param {Visit} visit
 */
function whose(wait, visit) {
  return (wait.who === "prisoner" && otherNames(visit)) || t(`common.wait.${wait.who}.name`);
}

/**
 * @param {{ wait: Wait, name: string }} props
 */
function Job({ wait, name }) {
  const state = wait.ready ? "ready" : "waiting";
  const detail = wait.detail && has(`wait.${wait.detail}`) ? t(`wait.${wait.detail}`) : t(`common.wait.${wait.who}.${state}`);
  return html`<li class=${`job is-${state}`}>
    <span class="job-sign"><${Icon} name=${wait.ready ? "tick" : "hourglass"} /></span>
    <div>
      <strong>${name}</strong>
      <span class="visually-hidden">${t(`common.wait.${state}`)}</span>
      <p>${detail}</p>
    </div>
  </li>`;
}
