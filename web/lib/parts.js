// @ts-check
/** Pieces that the family's and the laptop's pages share. */

import { Icon } from "./icons.js";
import { watchLevel } from "./level.js";
import { whenPresented } from "./presented.js";
import { locale, t } from "./text.js";
import { minutesLeft, minutesToSay } from "./time.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./ui.js";

/** @typedef {import("./protocol.js").VisitMessage} Visit */
/** @typedef {import("./leg.js").Leg} Leg */

/** What staff may do while a call of a kind runs (domain: kinds.py); the words follow. @type {Record<string, string>} */
const WATCHED = {
  social: "full",
  compassionate: "full",
  interpreted: "full",
  legal: "looks",
  official: "looks",
  clinical: "looks",
  confidential: "none",
};

/**
 * @param {string} kind
 * @returns {"full" | "looks" | "none"}
 */
export function watchedHow(kind) {
  return /** @type {any} */ (WATCHED[kind] ?? "full");
}

/**
 * The notice that stays on screen, in words.
 * @param {Visit} visit
 */
export function noticeLine(visit) {
  const recorded = visit.notice?.recorded ? "recorded" : "not_recorded";
  return `${t(`common.watched.${visit.privileged?.refused ? "none" : watchedHow(visit.kind)}`)} ${t(`common.${recorded}`)}`;
}

/**
 * The first names of the other end, as one would say them.
 * @param {Visit} visit
 */
export function otherNames(visit) {
  const names = visit.others.map((other) => other.name).filter(Boolean);
  if (!names.length) return "";
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(names);
}

/**
 * The heading of a screen; it takes the focus when the screen is new, so that screen readers and keys start there.
 * @param {{ children: any, class?: string, quiet?: boolean }} props `quiet`: the first screen of a page takes no focus.
 */
export function Heading({ children, class: className = "", quiet = false }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    if (quiet) return;
    element.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return html`<h1 ref=${element} class=${className} tabindex="-1">${children}</h1>`;
}

/**
 * Set the name in the tab.
 * @param {string} title
 */
export function useTitle(title) {
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/**
 * Draw again every second while a clock is on the page.
 * @param {() => number} now
 * @returns {number} Milliseconds since 1970, by the broker's clock.
 */
export function useNow(now) {
  const [at, setAt] = useState(now());
  useEffect(() => {
    const timer = setInterval(() => setAt(now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return at;
}

/**
 * Whole minutes left. While the clock stands, so does the number.
 * @param {Leg} leg
 * @param {Visit} visit
 * @returns {number | null}
 */
export function useMinutesLeft(leg, visit) {
  const now = useNow(() => leg.now());
  if (!visit.ends_at) return null;
  return minutesLeft(visit.ends_at, visit.clock_runs ? now : Date.parse(visit.now));
}

/**
 * Says aloud that 10, 5 and 1 minutes are left; silent otherwise.
 * @param {{ left: number | null }} props
 */
export function MinutesAloud({ left }) {
  const said = useRef(/** @type {number | null} */ (null));
  const [words, setWords] = useState("");
  useEffect(() => {
    if (left === null) return;
    const mark = minutesToSay(left, said.current);
    if (mark === null) return;
    said.current = mark;
    setWords(t("common.minutes_left", { n: left }));
  }, [left]);
  return html`<p class="visually-hidden" aria-live="polite">${words}</p>`;
}

/**
 * A button of ours. `busy` keeps its width and its focus, and does nothing twice.
 * @param {{ children: any, onClick: () => unknown, kind?: string, icon?: string, class?: string }} props
 */
export function Button({ children, onClick, kind = "main", icon, class: className = "" }) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await onClick();
    } finally {
      setBusy(false);
    }
  };
  return html`<button type="button" class=${`button is-${kind} ${className}`} aria-disabled=${busy ? "true" : undefined} onClick=${press}>
    ${icon ? html`<${Icon} name=${icon} />` : null}<span>${busy && kind === "main" ? t("common.please_wait") : children}</span>
  </button>`;
}

const SEGMENTS = 14;

/**
 * A bar that moves with the voice: a picture for eyes; words stand beside it.
 * @param {{ track: MediaStreamTrack | null }} props
 */
export function LevelBar({ track }) {
  const [level, setLevel] = useState(0);
  useEffect(() => (track ? watchLevel(track, setLevel) : undefined), [track]);
  const lit = Math.round(level * SEGMENTS);
  const cells = Array.from({ length: SEGMENTS }, (_, at) => html`<span class=${at < lit ? "is-lit" : ""}></span>`);
  return html`<div class="level" aria-hidden="true">${cells}</div>`;
}

const BACK_MS = 8000; // how long it stands that the picture is back

/**
 * Says, calmly and at this end alone, that its connection is too weak for the picture, and when the picture is back.
 * @param {{ leg: Leg }} props
 */
export function WeakLink({ leg }) {
  const weak = leg.soundOnly.value;
  const wasWeak = useRef(false);
  const [isBack, setIsBack] = useState(false);
  useEffect(() => {
    setIsBack(!weak && wasWeak.current);
    wasWeak.current = weak;
    if (weak) return undefined;
    const timer = setTimeout(() => setIsBack(false), BACK_MS);
    return () => clearTimeout(timer);
  }, [weak]);
  const words = weak ? t("common.link.weak") : isBack ? t("common.link.back") : "";
  return html`<p class=${`weak-link ${words ? "is-said" : ""}`} aria-live="polite">${words}</p>`;
}

/**
 * Messages from the officer, until read. The broker is told of each once it has been presented.
 * @param {{ leg: Leg }} props
 */
export function Warnings({ leg }) {
  return html`<div class="warnings" role="alert">
    ${leg.warnings.value.map((warning) => html`<${WarningBubble} key=${warning.warning_id} leg=${leg} warning=${warning} />`)}
  </div>`;
}

/** @param {{ leg: Leg, warning: import("./leg.js").Warning }} props */
function WarningBubble({ leg, warning }) {
  const words = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => (words.current ? whenPresented(words.current, () => leg.warningShown(warning.warning_id)) : undefined), []);
  return html`<div class="bubble">
    <p class="bubble-from"><${Icon} name="message" /> ${t("common.message_from_officer")}</p>
    <p ref=${words}>${t(`warning.${warning.warning}`)}</p>
    <button type="button" class="button is-second" onClick=${() => leg.warningRead(warning.warning_id)}>
      ${t("common.warning_read")}
    </button>
  </div>`;
}

/**
 * A question asked once before something that cannot be taken back.
 * @param {{ title: string, text: string, yes: string, no: string, onYes: () => unknown, onNo: () => void }} props
 */
export function Ask({ title, text, yes, no, onYes, onNo }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return html`<dialog ref=${element} class="ask" aria-labelledby="ask-title" onCancel=${onNo}>
    <h2 id="ask-title">${title}</h2>
    <p>${text}</p>
    <div class="ask-buttons">
      <${Button} kind="stop" icon="leave" onClick=${onYes}>${yes}<//>
      <button type="button" class="button is-second" autofocus onClick=${onNo}>${no}</button>
    </div>
  </dialog>`;
}
