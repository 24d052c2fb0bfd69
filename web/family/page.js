// @ts-check
/** The frame of every family page: a neutral name, help in the same corner, one job, one filled button. */

import { t } from "../lib/text.js";
import { useTitle } from "../lib/parts.js";
import { html } from "../lib/ui.js";

/** Help opens in place; it never leads away from the call. */
export function Help() {
  return html`<details class="help">
    <summary>${t("family.help.title")}</summary>
    <div class="help-panel">
      <p>${t("family.help.reload")}</p>
      <p>${t("family.help.other_device")}</p>
      <p>${t("family.help.phone")}</p>
    </div>
  </details>`;
}

/** Two lenses that meet: no crown, no crest, no word of a prison (people open this on a bus). */
export function Mark() {
  return html`<svg class="mark" width="32" height="32" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect class="mark-ground" width="32" height="32" rx="8" />
    <circle class="mark-left" cx="12.5" cy="16" r="6.5" />
    <path class="mark-right" d="M19.5 9.5a6.5 6.5 0 1 1-3.5 12 6.5 6.5 0 0 0 0-11 6.5 6.5 0 0 1 3.5-1z" />
  </svg>`;
}

/**
 * @param {{ title: string, tone?: string, children: any, foot?: any }} props `tone` names the ground of the page.
 */
export function Page({ title, tone = "paper", children, foot }) {
  useTitle(`${title} – ${t("family.name")}`);
  return html`<div class=${`page is-${tone}`}>
    <header class="page-head">
      <p class="brand"><${Mark} /> ${t("family.name")}</p>
      <${Help} />
    </header>
    <main class="page-main">${children}</main>
    ${foot ? html`<footer class="page-foot"><div class="page-foot-in">${foot}</div></footer>` : null}
  </div>`;
}
