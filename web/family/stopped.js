// @ts-check
/** A stop in the call. A decision of staff and a fault look and read apart; each says why and what comes next. */

import { pauseLook } from "../lib/face.js";
import { Icon } from "../lib/icons.js";
import { Button, Heading, noticeLine, otherNames, useMinutesLeft, Warnings } from "../lib/parts.js";
import { t } from "../lib/text.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { Hand } from "./hand.js";
import { Page } from "./page.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */

const TONES = { staff: "plum", fault: "slate", wait: "wait" };
const SIGNS = { staff: "pause", fault: "broken", wait: "hourglass" };

/**
 * @param {{ leg: Leg, visit: Visit }} props
 */
export function Paused({ leg, visit }) {
  const look = pauseLook(visit.pause);
  const name = otherNames(visit) || t("family.call.other");
  const pause = visit.pause ?? "fault";
  const title = t(`common.pause.${pause}.title`, { name });
  const left = useMinutesLeft(leg, visit);
  return html`<${Page} title=${title} tone=${TONES[look]}>
    <p class="stop-sign"><${Icon} name=${SIGNS[look]} size=${44} /></p>
    <${Heading}>${title}<//>
    <${Warnings} leg=${leg} />
    <section class="why">
      <h2>${t("common.why.title")}</h2>
      <p>${why(visit, name)}</p>
    </section>
    <ul class="stop-facts">
      <li><${Icon} name="camera_off" /> <span>${t("common.pause.off")}</span></li>
      ${left === null || !visit.started
        ? null
        : html`<li><${Icon} name="clock" /> <span>${t(visit.clock_runs ? "common.pause.clock_runs" : "common.pause.clock_stopped", { n: left })}</span></li>`}
      <li><${Icon} name="person" /> <span>${t("family.pause.other_sees", { name })}</span></li>
    </ul>
    <section class="next">
      <h2>${t("common.next.title")}</h2>
      <p>${t(`family.pause.${pause}.next`, { name })}</p>
    </section>
    <${Hand} leg=${leg} visit=${visit} />
    <p class="small">${noticeLine(visit)}</p>
  <//>`;
}

/**
 * The reason in plain words; until staff have given one, what is always true.
 * @param {Visit} visit
 * @param {string} name
 */
function why(visit, name) {
  if (visit.pause === "staff" && visit.pause_reason) return t(`common.why.${visit.pause_reason}`);
  return t(`common.pause.${visit.pause ?? "fault"}.why`, { name });
}

/**
 * This side's line is gone: a fault, being mended. Nothing of the last picture stays, for what it showed may be over.
 * @param {{ leg: Leg, visit: Visit | null }} props
 */
export function Reconnecting({ leg, visit }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const title = t("family.reconnecting.title");
  const foot = html`<${Button} icon="again" onClick=${() => leg.rejoin()}>${t("family.reconnecting.rejoin")}<//>`;
  return html`<${Page} title=${title} tone="slate" foot=${foot}>
    <p class="stop-sign is-square"><${Icon} name="broken" size=${44} /></p>
    <${Heading}>${title}<//>
    <p>${t("family.reconnecting.text")} <strong>${t("family.reconnecting.nobody")}</strong></p>
    <p class="trying"><span class="dots" data-at=${Math.floor(seconds / 2) % 3} aria-hidden="true"><i></i><i></i><i></i></span>
      <span>${t("family.reconnecting.trying")}</span></p>
    ${visit?.started ? html`<p>${t("family.reconnecting.kept")}</p>` : null}
    <p class="small">${t("family.reconnecting.nearer")}</p>
  <//>`;
}
