// @ts-check
/** What a caller of a privileged call is told: whether somebody looks now, how often it was, and how to refuse. */

import { Icon } from "./icons.js";
import { t } from "./text.js";
import { html, useState } from "./ui.js";

/** @typedef {import("./leg.js").Leg} Leg */
/** @typedef {import("./protocol.js").VisitMessage} Visit */

/**
 * @param {{ leg: Leg, visit: Visit, mayRefuse?: boolean }} props `mayRefuse`: the page is the outside caller's.
 */
export function Looks({ leg, visit, mayRefuse = false }) {
  const [asking, setAsking] = useState(false);
  const part = visit.privileged;
  if (!part) return null;
  const now = part.looking ? "now" : part.refused ? "refused" : part.may_look ? "between" : "never";
  return html`<section class=${`looks ${part.looking ? "is-looking" : ""}`} aria-label=${t("common.looks")}>
    <p role="status"><${Icon} name="eye" /> <strong>${t(`common.looks.${now}`)}</strong></p>
    ${part.may_look && !part.refused ? html`<p class="small">${t("common.looks.rule", { max: part.max_s, gap: part.every_min })} ${t("common.looks.count", { n: part.looks })}</p>` : null}
    ${mayRefuse && part.may_look && !part.refused
      ? asking
        ? html`<p>${t("common.looks.refuse_more")}</p>
            <button type="button" class="button" onClick=${() => leg.refuseLooks()}>${t("common.looks.refuse_yes")}</button>
            <button type="button" class="button" onClick=${() => setAsking(false)}>${t("common.looks.refuse_no")}</button>`
        : html`<button type="button" class="button" onClick=${() => setAsking(true)}>${t("common.looks.refuse")}</button>`
      : null}
  </section>`;
}
