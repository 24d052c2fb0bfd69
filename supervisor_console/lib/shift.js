// @ts-check
/** What passes from one shift to the next: the report of the one that is over, and what it left to read. */

import { signal } from "@preact/signals";
import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { hourAndMinute } from "./clock.js";
import { icon } from "./icons.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("../../web/lib/protocol.js").ShiftNotePart} Note */

/** The notes that were put away on this page, by id. */
const read = signal(/** @type {ReadonlySet<string>} */ (new Set()));

/** After sign-off: where the shift's report is. @param {{ session: Session }} props */
export function ShiftOver({ session }) {
  if (session.post !== "monitor" || !session.off.value) return null;
  return html`<p class="sign-on-box" role="status">${icon("tick")} ${t("console.shift.over")} <a href="/shifts/last">${t("console.shift.report")}</a></p>`;
}

/** @param {{ notes: readonly Note[] }} props */
export function NotesBefore({ notes }) {
  if (!notes.length) return null;
  return html`<section class="sign-on-box shift-notes" aria-labelledby="notes-before">
    <h2 id="notes-before">${t("console.shift.before")}</h2>
    <${Notes} notes=${notes} />
  </section>`;
}

/** On post: notes that came with the relief, until they are put away. @param {{ notes: readonly Note[] }} props */
export function NotesNotice({ notes }) {
  const fresh = notes.filter((note) => !read.value.has(note.id));
  if (!fresh.length) return null;
  return html`<section class="relief-box shift-notes">
    <h2>${icon("person")}${t("console.shift.before")}</h2>
    <${Notes} notes=${fresh} />
    <button type="button" class="plain" onClick=${() => (read.value = new Set([...read.value, ...fresh.map((note) => note.id)]))}>${t("console.close")}</button>
  </section>`;
}

/** @param {{ notes: readonly Note[] }} props */
function Notes({ notes }) {
  return html`${notes.map(
    (note) => html`<div key=${note.id}><p class="quiet">${t("console.shift.by", { name: note.name, time: hourAndMinute(note.at) })}</p><p class="shift-note">${note.text}</p></div>`,
  )}`;
}
