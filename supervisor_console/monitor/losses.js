// @ts-check
/** How the links of the call in focus did over the last quarter of an hour: bars in three bands, and the same in words. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { legsOf } from "../lib/calls.js";
import { bandOf, summaryOf } from "../lib/losses.js";
import { side } from "./picture.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").LegPart} LegPart */

const SAMPLES = 180; // fifteen minutes of one each five seconds
const TOP = 40; // percent: more is drawn as this much
const LINES = [10, 15];

/** @param {{ desk: Desk, call: CallPart }} props */
export function LossGraphs({ desk, call }) {
  const { losses } = desk.session.board.value;
  if (losses.callId !== call.id) return null;
  return html`<section class="losses" aria-label=${t("monitor.loss")}>
    ${legsOf(call).map((leg) => html`<${Graph} key=${leg.id} call=${call} leg=${leg} samples=${losses.legs.get(leg.id) ?? []} />`)}
  </section>`;
}

/** @param {{ call: CallPart, leg: LegPart, samples: readonly (number | null)[] }} props */
function Graph({ call, leg, samples }) {
  const end = side(leg) === "seat" ? t("monitor.seat", { seat: call.seat }) : t("monitor.family");
  const summary = summaryOf(samples);
  const words = summary.known ? t("monitor.loss.summary", { end, ...summary }) : `${end}: ${t("monitor.loss.none")}`;
  const from = SAMPLES - samples.length;
  return html`<figure>
    <svg viewBox="0 0 ${SAMPLES} ${TOP}" preserveAspectRatio="none" role="img" aria-label=${words}>
      ${LINES.map((at) => html`<line class="axis" key=${at} x1="0" x2=${SAMPLES} y1=${TOP - at} y2=${TOP - at} />`)}
      ${samples.map((percent, at) => {
        if (percent === null) return null;
        const height = Math.max(0.5, Math.min(TOP, percent));
        return html`<rect key=${at} class=${`band-${bandOf(percent)}`} x=${from + at} y=${TOP - height} width="1" height=${height} />`;
      })}
    </svg>
    <figcaption>${words}</figcaption>
  </figure>`;
}
