// @ts-check
/** A panel of the rail: a heading that takes the keyboard, and a way out. It covers no picture. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * @param {{ desk: Desk, title: string, look: string, shut?: string, children?: unknown, keepFocus?: boolean }} props
 *   `keepFocus`: a control of the panel takes the keyboard by itself.
 */
export function PanelFrame({ desk, title, look, shut, children, keepFocus }) {
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    if (!keepFocus) heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return html`<section class=${`panel panel-${look}`} aria-labelledby="panel-title">
    <header class="panel-head">
      <h2 id="panel-title" tabindex="-1" ref=${heading}>${title}</h2>
      <button type="button" class="plain" onClick=${() => (desk.panel.value = null)}>${shut ?? t("console.close")} <kbd>Esc</kbd></button>
    </header>
    ${children}
  </section>`;
}

/**
 * A list of choices on the digit keys.
 * @param {{ codes: readonly string[], word: (code: string) => string, chosen: string | null, onChoose: (code: any) => void }} props
 */
export function Choices({ codes, word, chosen, onChoose }) {
  return html`<ol class="choices">
    ${codes.map(
      (code, at) => html`<li key=${code}>
        <button type="button" aria-pressed=${chosen === code} onClick=${() => onChoose(code)}><kbd>${at + 1}</kbd> ${word(code)}</button>
      </li>`,
    )}
  </ol>`;
}

/** @param {Desk} desk @param {string} callId */
export function whose(desk, callId) {
  const call = desk.callOf(callId);
  const place = desk.session.board.value.places.get(callId) ?? 0;
  return { place: place + 1, number: call?.prisoner_number ?? "" };
}
