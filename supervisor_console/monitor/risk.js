// @ts-check
/** Why a call has its tier, in words. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";

/** @param {{ call: import("../../web/lib/protocol.js").CallPart }} props */
export function Risk({ call }) {
  if (!call.tier_reasons.length && !call.tier_set_by) return null;
  return html`<p class="focus-risk">
    <strong>${t("monitor.risk.title")}</strong> ${call.tier_reasons.map((reason) => t(`risk.${reason}`)).join(" · ")}
    ${call.tier_set_by && html` (${t("monitor.risk.set_by", { name: call.tier_set_by })})`}
  </p>`;
}
