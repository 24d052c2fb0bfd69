// @ts-check
/** The frame of the laptop's screens, and the one button that every screen has. */

import { Icon } from "../lib/icons.js";
import { Button, useNow, useTitle } from "../lib/parts.js";
import { t } from "../lib/text.js";
import { clock, day } from "../lib/time.js";
import { html } from "../lib/ui.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */

/**
 * Asks for a member of staff. Where there is no call to ask from, it is not shown: a button that does nothing is a lie.
 * @param {{ leg: Leg, kind?: string }} props
 */
export function CallStaff({ leg, kind = "second" }) {
  const visit = leg.visit.value;
  if (!visit?.call_id) return null;
  const called = visit.hand;
  return html`<${Button} kind=${kind} icon="hand" onClick=${() => leg.help(!called)}>${t(called ? "laptop.staff_not_needed" : "laptop.call_staff")}<//>
    <p class="visually-hidden" role="status">${called ? t("laptop.staff_called") : ""}</p>
    ${called ? html`<p class="small" aria-hidden="true">${t("laptop.staff_called")}</p>` : null}`;
}

/**
 * Date and time, in the corner.
 * @param {{ leg: Leg }} props
 */
export function Today({ leg }) {
  const now = useNow(() => leg.now());
  return html`<p>${day(now)}, <strong>${clock(now)}</strong></p>`;
}

/**
 * @param {{ leg: Leg }} props
 */
export function SeatSide({ leg }) {
  const you = leg.welcome.value?.you;
  const seat = you?.chair === "laptop" ? you.seat : null;
  return html`<section class="seat-side" aria-label=${t("laptop.seat")}>
    <p>${t("laptop.seat")}</p>
    ${seat === null || seat === undefined ? html`<p class="seat-none">${t("laptop.none_seat")}</p>` : html`<p class="seat-number">${seat}</p>`}
  </section>`;
}

/**
 * @param {{ title: string, tone?: string, children: any, foot?: any, top?: any }} props
 */
export function Screen({ title, tone = "paper", children, foot, top }) {
  useTitle(`${title} – ${t("laptop.name")}`);
  return html`<div class=${`screen is-${tone}`}>
    <header class="screen-top">${top ?? null}</header>
    <main class="screen-main">${children}</main>
    ${foot ? html`<footer class="screen-foot">${foot}</footer>` : null}
  </div>`;
}

export { Icon };
