// @ts-check
/** A stop on the laptop: the same truth in the same words as on the family's page, and "please stay in your seat". */

import { pauseLook } from "../lib/face.js";
import { Heading, otherNames, useMinutesLeft, Warnings } from "../lib/parts.js";
import { t } from "../lib/text.js";
import { html } from "../lib/ui.js";
import { CallStaff, Icon, Screen, Today } from "./screen.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */

const TONES = { staff: "plum", fault: "slate", wait: "paper" };
const SIGNS = { staff: "pause", fault: "broken", wait: "hourglass" };

/**
 * @param {{ leg: Leg, visit: Visit }} props
 */
export function Paused({ leg, visit }) {
  const look = pauseLook(visit.pause);
  const pause = visit.pause ?? "fault";
  const name = otherNames(visit) || t("laptop.call.other");
  const left = useMinutesLeft(leg, visit);
  const title = t(`common.pause.${pause}.title`, { name });
  const reason = pause === "staff" && visit.pause_reason ? t(`common.why.${visit.pause_reason}`) : t(`common.pause.${pause}.why`, { name });
  return html`<${Stop} leg=${leg} title=${title} tone=${TONES[look]} sign=${SIGNS[look]} next=${t(`laptop.pause.${pause}.next`, { name })}>
    <section class="why"><h2>${t("common.why.title")}</h2><p>${reason}</p></section>
    <ul class="stop-facts">
      ${left === null || !visit.started
        ? null
        : html`<li><${Icon} name="clock" size=${32} /> <span>${t(visit.clock_runs ? "common.pause.clock_runs" : "common.pause.clock_stopped", { n: left })}</span></li>`}
      <li><${Icon} name="camera_off" size=${32} /> <span>${t("common.pause.off")}</span></li>
      ${visit.others.length ? html`<li><${Icon} name="person" size=${32} /> <span>${t("laptop.pause.other_sees", { name })}</span></li>` : null}
    </ul>
  <//>`;
}

/**
 * @param {{ leg: Leg }} props
 */
export function Reconnecting({ leg }) {
  return html`<${Stop} leg=${leg} title=${t("laptop.reconnecting.title")} tone="slate" sign="broken" next="">
    <p>${t("laptop.reconnecting.text")}</p>
  <//>`;
}

/**
 * @param {{ leg: Leg, visit: Visit }} props
 */
export function Ended({ leg, visit }) {
  const returned = Math.floor(visit.returned_s / 60);
  const rebook = Math.ceil(visit.rebook_s / 60);
  const title = t(visit.started ? "laptop.ended.title" : "laptop.ended.title_not_started");
  return html`<${Screen} title=${title} top=${html`<span></span><${Today} leg=${leg} />`}
    foot=${html`<p>${t("laptop.ended.stay")}</p>`}>
    <div class="stop">
      <p class="stop-sign"><${Icon} name="tick" size=${64} /></p>
      <div class="stop-text">
        <${Heading}>${title}<//>
        <p>${t(`laptop.end_why.${visit.end ?? "time"}`)}</p>
        ${visit.end === "staff" && visit.end_reason ? html`<section class="why"><h2>${t("common.why.title")}</h2><p>${t(`common.end.${visit.end_reason}`)}</p></section>` : null}
        ${returned > 0 ? html`<p>${t("laptop.ended.returned", { n: returned })}</p>` : null}
        ${rebook > 0 ? html`<p>${t("laptop.ended.rebook", { n: rebook })}</p>` : null}
      </div>
    </div>
  <//>`;
}

/**
 * @param {{ leg: Leg, title: string, tone: string, sign: string, next: string, children: any }} props
 */
function Stop({ leg, title, tone, sign, next, children }) {
  const foot = html`<p>${t("laptop.pause.stay")} ${next}</p><div class="buttons"><${CallStaff} leg=${leg} /></div>`;
  return html`<${Screen} title=${title} tone=${tone} top=${html`<span></span><${Today} leg=${leg} />`} foot=${foot}>
    <div class="stop">
      <p class="stop-sign"><${Icon} name=${sign} size=${64} /></p>
      <div class="stop-text">
        <${Heading}>${title}<//>
        <${Warnings} leg=${leg} />
        ${children}
      </div>
    </div>
  <//>`;
}
