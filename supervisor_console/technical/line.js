// @ts-check
/** The line to the monitoring post about one call: both posts read it, no caller does. */

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";
import { entriesOf } from "../lib/record.js";

/** @typedef {import("./hall.js").Hall} Hall */

const MOST = 500; // policy line_most_chars

/** @param {{ hall: Hall, callId: string }} props */
export function PostLine({ hall, callId }) {
  const [text, setText] = useState("");
  const said = entriesOf(hall.session.board.value.records, callId).filter((entry) => entry.kind === "line");
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!text.trim() || text.length > MOST) return;
    const answer = await hall.session.act({ type: "call.say", call_id: callId, text });
    if (answer?.type === "ok") setText("");
  };
  return html`<section class="card" aria-labelledby="line-title">
    <h3 id="line-title">${t("hall.line")}</h3>
    <p class="quiet">${icon("lock")}${t("hall.line.who")}</p>
    <ol class="line-said" aria-live="polite">
      ${said.map(
        (entry) => html`<li key=${entry.id} class="entry">
          <div><p><b>${entry.by}</b> <span class="quiet">${timeOfDay(entry.at)}</span></p><p class="written" dir="auto">${entry.text}</p></div>
        </li>`,
      )}
    </ol>
    <form class="task-form" onSubmit=${send}>
      <label class="field" for="hall-line">${t("hall.line.text")}</label>
      <textarea id="hall-line" rows="2" dir="auto" value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}></textarea>
      ${text.length > MOST
        ? html`<p class="too-long">${t("monitor.task.too_long", { n: text.length - MOST })}</p>`
        : html`<button type="submit" class="plain">${icon("say")}${t("hall.line.do")}</button>`}
    </form>
  </section>`;
}
