// @ts-check
/** Before the first word of the broker, and after the last. */

import { Icon } from "../lib/icons.js";
import { Button, Heading, otherNames } from "../lib/parts.js";
import { has, t } from "../lib/text.js";
import { calendarDay } from "../lib/time.js";
import { html } from "../lib/ui.js";
import { CopyLink } from "./before.js";
import { Page } from "./page.js";

/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */

export function Loading() {
  return html`<${Page} title=${t("family.loading.title")}>
    <${Heading} quiet=${true}>${t("family.loading.title")}<//>
    <p role="status">${t("family.loading.text")}</p>
  <//>`;
}

/**
 * The link or the session is over. A wrong link is told nothing but what to do (features F4).
 * @param {{ code: string }} props
 */
export function Closed({ code }) {
  const known = has(`family.closed.${code}.title`) ? code : "closed";
  const reload = known === "replaced" || known === "closed" || known === "elsewhere";
  const title = t(`family.closed.${known}.title`);
  const foot = reload ? html`<${Button} onClick=${() => location.reload()}>${t(`family.closed.${known}.do`)}<//>` : null;
  return html`<${Page} title=${title} foot=${foot}>
    <${Heading}>${title}<//>
    <p>${t(`family.closed.${known}.text`)}</p>
    ${reload ? null : html`<h2>${t("common.next.title")}</h2><p>${t(`family.closed.${known}.next`)}</p>`}
  <//>`;
}

/**
 * Thanks first, then the cause in plain words, then what was given back.
 * @param {{ visit: Visit }} props
 */
export function Ended({ visit }) {
  if (visit.suspension) return html`<${Suspended} part=${visit.suspension} />`;
  const name = otherNames(visit) || t("family.call.other");
  const end = visit.end ?? "cancelled";
  const title = t(visit.started ? "family.ended.title" : "family.ended.title_not_started", { name });
  const returned = Math.floor(visit.returned_s / 60);
  const rebook = Math.ceil(visit.rebook_s / 60);
  return html`<${Page} title=${title}>
    <p class="stop-sign is-done"><${Icon} name=${visit.started ? "tick" : "clock"} size=${44} /></p>
    <${Heading}>${title}<//>
    <p>${t(`family.end.${end}`, { name })}</p>
    ${end === "staff" && visit.end_reason ? html`<section class="why"><h2>${t("common.why.title")}</h2><p>${t(`common.end.${visit.end_reason}`)}</p></section>` : null}
    ${visit.identity ? html`<section class="why"><h2>${t("common.why.title")}</h2><p>${t(`family.identity.${visit.identity}`)}</p><p>${t(`family.identity.${visit.identity}.next`)}</p></section>` : null}
    ${returned > 0 ? html`<p class="promise">${t("family.ended.returned", { n: returned })}</p>` : null}
    ${rebook > 0 ? html`<p class="promise">${t("family.ended.rebook", { n: rebook })}</p>` : null}
    <p>${t("family.ended.goodbye")}</p>
    <p class="small">${t("family.ended.close")}</p>
  <//>`;
}

/**
 * Why, and how to appeal, for the person themselves; of somebody else of the visit no more than until when.
 * @param {{ part: import("../lib/protocol.js").SuspensionPart }} props
 */
function Suspended({ part }) {
  const title = t("family.suspended.title");
  const until = { name: part.name, until: calendarDay(part.until) };
  return html`<${Page} title=${title}>
    <p class="stop-sign"><${Icon} name="clock" size=${44} /></p>
    <${Heading}>${title}<//>
    <p>${t(part.reason ? "family.suspended.yours" : "family.suspended.other", until)}</p>
    ${part.reason ? html`<section class="why"><h2>${t("common.why.title")}</h2><p>${t(`family.suspended.${part.reason}`)}</p></section>` : null}
    ${part.appeal ? html`<h2>${t("family.suspended.appeal")}</h2><p class="as-written">${part.appeal}</p>` : null}
  <//>`;
}

/**
 * @param {{ token: string | null }} props
 */
export function Unsupported({ token }) {
  return html`<${Page} title=${t("family.unsupported.title")}>
    <${Heading} quiet=${true}>${t("family.unsupported.title")}<//>
    <p>${t("family.unsupported.text")}</p>
    <ul class="ticks">${["phone", "iphone", "computer"].map((key) => html`<li><${Icon} name="tick" /> <span>${t(`family.unsupported.${key}`)}</span></li>`)}</ul>
    ${token ? html`<${CopyLink} token=${token} />` : null}
  <//>`;
}
