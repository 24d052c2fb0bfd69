// @ts-check
/** All keys, and the two choices of a person: letters as keys, and the scheme of colours. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { letters, scheme, setLetters, setScheme } from "../lib/choices.js";
import { PanelFrame } from "./panel.js";

const KEYS = /** @type {const} */ ([
  ["1–9, 0", "tiles"],
  ["⇧ 1–6", "tiles_more"],
  ["← ↑ → ↓", "move"],
  ["PgUp PgDn", "pages"],
  ["Enter", "focus"],
  ["Esc", "back"],
  ["S", "sound"],
  ["P", "pause"],
  ["U", "undo"],
  ["T", "relabel"],
  ["R", "clear"],
  ["W", "warn"],
  ["E", "end"],
  ["I", "identity"],
  ["B", "bookmark"],
  ["N", "note"],
  ["H", "attend"],
  ["L", "line"],
  ["V", "look"],
  ["A", "alert"],
  ["G", "due"],
  ["F", "full"],
  ["?", "keys"],
]);

/** @param {{ desk: import("./desk.js").Desk }} props */
export function KeysPanel({ desk }) {
  return html`<${PanelFrame} desk=${desk} title=${t("monitor.keys.title")} look="keys">
    <dl class="keys">
      ${KEYS.map(([key, what]) => html`<div key=${what}><dt><kbd>${key}</kbd></dt><dd>${t(`monitor.keys.${what}`)}</dd></div>`)}
    </dl>
    <div class="buttons">
      <button type="button" class="plain" aria-pressed=${letters.value} onClick=${() => setLetters(!letters.value)}>${t("monitor.keys.letters")}</button>
      <button type="button" class="plain" aria-pressed=${scheme.value === "dark"} onClick=${() => setScheme(scheme.value === "dark" ? "light" : "dark")}>${t("console.scheme.dark")}</button>
      <button type="button" class="plain" onClick=${() => desk.closeGaps()}>${t("monitor.keys.close_gaps")}</button>
    </div>
  <//>`;
}
