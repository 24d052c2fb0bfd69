// @ts-check
/** Asking for a member of staff: whoever watches the call sees the hand. The broker's word says whether it is up. */

import { Button } from "../lib/parts.js";
import { t } from "../lib/text.js";
import { html } from "../lib/ui.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */

/** @param {Visit} visit */
export function handWord(visit) {
  return t(visit.hand ? "family.hand.cancel" : "family.hand.ask");
}

/** What became of the hand, for eyes and ears. @param {{ visit: Visit }} props */
export function HandSaid({ visit }) {
  return html`<p class="hand-said" role="status">${visit.hand ? t("family.hand.asked") : ""}</p>`;
}

/** The hand as a button of its own, outside of the call's controls. @param {{ leg: Leg, visit: Visit }} props */
export function Hand({ leg, visit }) {
  return html`<div class="hand"><${Button} kind="second" icon="hand" onClick=${() => leg.help(!visit.hand)}>${handWord(visit)}<//><${HandSaid} visit=${visit} /></div>`;
}
