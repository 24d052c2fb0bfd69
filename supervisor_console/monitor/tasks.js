// @ts-check
/** The panels of the tasks that only the monitoring post has: note, breach, asking the hall, the line, the record. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { icon } from "../lib/icons.js";
import { Choices, PanelFrame, whose } from "./panel.js";
import { CallRecord } from "./record.js";
import { ATTEND_REASONS, BREACHES, BREACH_OUTCOMES, NOTES } from "./task_desk.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {{ type: import("./task_desk.js").TaskPanel, callId: string }} State */

const MOST_TEXT = 2000; // policy text_most_chars; the broker refuses more
const MOST_LINE = 500; // policy line_most_chars

/** @param {{ desk: Desk, panel: State }} props */
export function TaskPanel({ desk, panel }) {
  const title = t(`monitor.task.${panel.type}.title`, whose(desk, panel.callId));
  return html`<${PanelFrame} desk=${desk} title=${title} look=${panel.type} keepFocus=${panel.type === "note" || panel.type === "line"}>
    ${panel.type === "note" && html`<${Note} desk=${desk} callId=${panel.callId} />`}
    ${panel.type === "breach" && html`<${Breach} desk=${desk} callId=${panel.callId} />`}
    ${panel.type === "attend" && html`<${Attend} desk=${desk} callId=${panel.callId} />`}
    ${panel.type === "line" && html`<${Line} desk=${desk} callId=${panel.callId} />`}
    ${panel.type === "record" && html`<${Record} desk=${desk} callId=${panel.callId} />`}
  <//>`;
}

/**
 * A field for what a person saw, in their own words.
 * @param {{ id: string, label: string, most: number, text: string, onText: (text: string) => void, take?: boolean }} props `take`: it takes the keyboard.
 */
function Words({ id, label, most, text, onText, take = false }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => {
    if (take) field.current?.focus();
  }, []);
  return html`<label class="field" for=${id}>${label}</label>
    <textarea id=${id} ref=${field} rows="4" dir="auto" aria-describedby=${`${id}-left`} value=${text} onInput=${(/** @type {any} */ event) => onText(event.currentTarget.value)}></textarea>
    <p id=${`${id}-left`} class=${text.length > most ? "too-long" : "quiet"}>${text.length > most ? t("monitor.task.too_long", { n: text.length - most }) : t("monitor.task.left", { n: most - text.length })}</p>`;
}

/** Whether a text may be kept: a longer one is not cut, for what a person wrote is never mended in silence. @param {string} text @param {number} most */
function mayKeep(text, most) {
  return text.trim() !== "" && text.length <= most;
}

/**
 * @template {string} Code
 * @param {{ id: string, label: string, codes: readonly Code[], word: string, chosen: Code | "", onChoose: (code: Code) => void }} props
 */
function Select({ id, label, codes, word, chosen, onChoose }) {
  return html`<label class="field" for=${id}>${label}</label>
    <select id=${id} value=${chosen} onChange=${(/** @type {any} */ event) => onChoose(event.currentTarget.value)}>
      ${chosen === "" && html`<option value="">${t("monitor.task.choose")}</option>`}
      ${codes.map((code) => html`<option key=${code} value=${code}>${t(`${word}.${code}`)}</option>`)}
    </select>`;
}

/** @param {{ desk: Desk, callId: string }} props */
function Note({ desk, callId }) {
  const [code, setCode] = useState(/** @type {import("./task_desk.js").NoteCode} */ ("observation"));
  const [text, setText] = useState("");
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (mayKeep(text, MOST_TEXT)) void desk.tasks.note(callId, code, text);
  };
  return html`<form class="task-form" onSubmit=${send}>
    <${Words} id="note-text" label=${t("monitor.task.note.text")} most=${MOST_TEXT} text=${text} onText=${setText} take=${true} />
    <${Select} id="note-code" label=${t("monitor.task.note.code")} codes=${NOTES} word="note" chosen=${code} onChoose=${setCode} />
    ${mayKeep(text, MOST_TEXT) ? html`<button type="submit" class="primary">${icon("note")}${t("monitor.task.note.do")}</button>` : html`<p class="closed">${t("monitor.task.write_first")}</p>`}
    <p class="quiet">${t("monitor.task.note.time")}</p>
  </form>`;
}

/** @param {{ desk: Desk, callId: string }} props */
function Breach({ desk, callId }) {
  const [category, setCategory] = useState(/** @type {import("./task_desk.js").BreachCategory | ""} */ (""));
  const [outcome, setOutcome] = useState(/** @type {import("./task_desk.js").BreachOutcome | ""} */ (""));
  const [text, setText] = useState("");
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (category && outcome && text.length <= MOST_TEXT) void desk.tasks.breach(callId, category, outcome, text);
  };
  return html`<form class="task-form" onSubmit=${send}>
    <${Select} id="breach-category" label=${t("monitor.task.breach.category")} codes=${BREACHES} word="breach" chosen=${category} onChoose=${setCategory} />
    <${Select} id="breach-outcome" label=${t("monitor.task.breach.outcome")} codes=${BREACH_OUTCOMES} word="breach_outcome" chosen=${outcome} onChoose=${setOutcome} />
    <${Words} id="breach-text" label=${t("monitor.task.breach.text")} most=${MOST_TEXT} text=${text} onText=${setText} />
    ${category && outcome && text.length <= MOST_TEXT ? html`<button type="submit" class="primary">${icon("flag")}${t("monitor.task.breach.do")}</button>` : html`<p class="closed">${t("monitor.task.breach.choose_first")}</p>`}
    <p class="quiet">${t("monitor.task.breach.withdraw")}</p>
  </form>`;
}

/** @param {{ desk: Desk, callId: string }} props */
function Attend({ desk, callId }) {
  return html`<p>${icon("bell")}${t("monitor.task.attend.rings")}</p>
    <${Choices} codes=${ATTEND_REASONS} word=${(/** @type {string} */ code) => t(`attend.${code}`)} chosen=${null} onChoose=${(/** @type {any} */ code) => desk.tasks.attend(callId, code)} />`;
}

/** @param {{ desk: Desk, callId: string }} props */
function Line({ desk, callId }) {
  const [text, setText] = useState("");
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (mayKeep(text, MOST_LINE) && (await desk.tasks.say(callId, text))) setText("");
  };
  return html`<form class="task-form" onSubmit=${send}>
    <p class="quiet">${icon("lock")}${t("monitor.task.line.who")}</p>
    <${Words} id="line-text" label=${t("monitor.task.line.text")} most=${MOST_LINE} text=${text} onText=${setText} take=${true} />
    ${mayKeep(text, MOST_LINE) ? html`<button type="submit" class="primary">${icon("say")}${t("monitor.task.line.do")}</button>` : html`<p class="closed">${t("monitor.task.write_first")}</p>`}
    <${CallRecord} desk=${desk} callId=${callId} />
  </form>`;
}

/** @param {{ desk: Desk, callId: string }} props */
function Record({ desk, callId }) {
  return html`<div class="buttons">
      <button type="button" class="plain" onClick=${() => desk.tasks.open("note", callId)}>${icon("note")}${t("monitor.task.note")} <kbd>N</kbd></button>
      <button type="button" class="plain" onClick=${() => desk.tasks.open("breach", callId)}>${icon("flag")}${t("monitor.task.breach")}</button>
      <a class="plain" href=${`/calls/${callId}/incident`} target="_blank" rel="noopener">${icon("note")}${t("monitor.task.incident")}</a>
    </div>
    <${CallRecord} desk=${desk} callId=${callId} />`;
}

/** The buttons of these tasks, for the call at hand. @param {{ desk: Desk, callId: string }} props */
export function TaskButtons({ desk, callId }) {
  const { tasks } = desk;
  return html`<div class="buttons task-buttons">
    <button type="button" class="plain" onClick=${() => tasks.bookmark(callId)}>${icon("bookmark")}${t("monitor.task.bookmark")} <kbd>B</kbd></button>
    <button type="button" class="plain" onClick=${() => tasks.open("note", callId)}>${icon("note")}${t("monitor.task.note")} <kbd>N</kbd></button>
    <button type="button" class="plain" onClick=${() => tasks.open("attend", callId)}>${icon("bell")}${t("monitor.task.attend")} <kbd>H</kbd></button>
    <button type="button" class="plain" onClick=${() => tasks.open("line", callId)}>${icon("say")}${t("monitor.task.line")} <kbd>L</kbd></button>
    <button type="button" class="plain" onClick=${() => tasks.open("breach", callId)}>${icon("flag")}${t("monitor.task.breach")}</button>
    <button type="button" class="plain" onClick=${() => tasks.open("record", callId)}>${icon("note")}${t("monitor.record")}</button>
  </div>`;
}
