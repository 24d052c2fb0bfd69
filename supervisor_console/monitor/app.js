// @ts-check
/** The monitoring console, whole: sign-on, then the wall with its top bar, rail and key line. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { isOnWall } from "../lib/board.js";
import { notProven } from "../lib/attention.js";
import { changesBetween } from "../lib/changes.js";
import { letters } from "../lib/choices.js";
import { actionFor } from "../lib/keys.js";
import { Announcer, Official, Over, Refusal } from "../lib/marking.js";
import { buildProof, notInView } from "../lib/proof.js";
import { SignOn } from "../lib/signon.js";
import { useCheck } from "./check.js";
import { detect } from "./detectors.js";
import { Sound } from "./focus.js";
import { Rail } from "./rail.js";
import { TopBar } from "./topbar.js";
import { Wall } from "./wall.js";

/** @typedef {import("./desk.js").Desk} Desk */

const HOLD_TO_END_MS = 1000;
const PROOF_MS = 1000;
const BUSY = new Set(["pause", "warn", "end", "identity", "note", "breach", "attend", "line"]);

/** @param {{ desk: Desk }} props */
export function App({ desk }) {
  const { session } = desk;
  useEffect(() => listen(desk), []);
  useEffect(() => prove(desk), []);
  useEffect(() => detect(desk), []);
  useAnnouncements(desk);
  useCheck(desk);
  if (session.link.value === "closed") return html`<${Frame}><${Over} session=${session} /><//>`;
  if (!session.onPost.value && !session.wanted.value) return html`<${Frame}><${SignOn} session=${session} /><//>`;
  return html`<div class="console" data-stale=${session.stale.value}>
    <${Official} where="top" note=${t("monitor.marking")} />
    <${TopBar} desk=${desk} />
    <main id="main" class="console-main">
      <${Wall} desk=${desk} />
      <${Rail} desk=${desk} />
    </main>
    <${KeyLine} desk=${desk} />
    <${Sound} desk=${desk} />
    <${Refusal} session=${session} />
    <${Announcer} words=${desk.said.value} />
  </div>`;
}

/** @param {{ children?: unknown }} props */
function Frame({ children }) {
  return html`<div class="frame"><${Official} where="top" />${children}<${Official} where="foot" /></div>`;
}

/** @param {{ desk: Desk }} props */
function KeyLine({ desk }) {
  const { session } = desk;
  const hidden = desk.hidden.value;
  const small = [...hidden.values()].includes("small");
  const proof = session.stale.value
    ? t("monitor.proof.stale", { n: session.silentFor.value })
    : hidden.size
      ? t(small ? "monitor.proof.small" : "monitor.proof.hidden", { n: hidden.size })
      : proofWords(desk);
  return html`<footer class="keyline">
    <p class="keyline-keys">
      ${[
        ["1–9", "tiles"],
        ["Enter", "focus"],
        ["Esc", "back"],
        ["P", "pause"],
        ["R", "clear"],
        ["W", "warn"],
        ["B", "bookmark"],
        ["N", "note"],
        ["H", "attend"],
        ["E", "end"],
        ["I", "identity"],
        ["A", "alert"],
        ["G", "due"],
      ].map(([key, what]) => html`<span key=${what}><kbd>${key}</kbd> ${t(`monitor.keyline.${what}`)}</span>`)}
      <button type="button" class="link" onClick=${() => desk.do({ type: "keys" })}><kbd>?</kbd> ${t("monitor.keyline.keys")}</button>
    </p>
    <p class="keyline-proof" data-bad=${session.stale.value || hidden.size > 0}>${proof}</p>
    <strong>${t("console.official")}</strong>
  </footer>`;
}

/** What the foot says while nothing is hidden: a privileged call is in view in looks only. @param {Desk} desk */
function proofWords(desk) {
  const apart = [...desk.session.board.value.calls.values()].filter((call) => isOnWall(call) && call.privileged).length;
  const unproven = notProven(desk.session.board.value);
  if (unproven.length) return t("monitor.proof.unproven", { n: unproven.length, places: unproven.join(", ") });
  return apart ? t("monitor.proof.but_privileged", { n: apart }) : t("monitor.proof.all");
}

/** Each second, on the main thread: what the wall really shows. @param {Desk} desk */
function prove(desk) {
  let n = 0;
  const timer = setInterval(() => {
    const { session, meter } = desk;
    const samples = meter.take();
    const heard = session.board.peek().heard;
    if (!session.onPost.value || heard === null) return;
    n += 1;
    const proof = buildProof({
      n,
      heard,
      visible: document.visibilityState === "visible",
      stale: session.stale.peek(),
      calls: [...session.board.peek().calls.values()].filter((call) => isOnWall(call) && !call.privileged),
      sampleOf: (legId) => samples.get(legId),
    });
    session.connection?.send({ ...proof, busy: BUSY.has(desk.panel.peek()?.type ?? "") });
    const hidden = notInView(proof);
    if (!same(hidden, desk.hidden.peek())) desk.hidden.value = hidden;
  }, PROOF_MS);
  return () => clearInterval(timer);
}

/** The keys of the page. @param {Desk} desk */
function listen(desk) {
  let holding = 0;
  /** @param {KeyboardEvent} event */
  function down(event) {
    if (!desk.session.onPost.value) return;
    const action = actionFor(pressed(event), pageOf(desk, event.target));
    if (!action) return;
    if (action.type === "end" && desk.panel.value?.type !== "end") {
      clearTimeout(holding);
      holding = window.setTimeout(() => desk.sure(), HOLD_TO_END_MS);
    }
    event.preventDefault();
    desk.do(action);
  }
  /** @param {KeyboardEvent} event */
  function up(event) {
    if (event.key.toLowerCase() === "e") clearTimeout(holding);
  }
  document.addEventListener("keydown", down);
  document.addEventListener("keyup", up);
  return () => {
    document.removeEventListener("keydown", down);
    document.removeEventListener("keyup", up);
  };
}

/**
 * @param {KeyboardEvent} event
 * @returns {import("../lib/keys.js").Keyed}
 */
function pressed(event) {
  const other = event.ctrlKey || event.altKey || event.metaKey;
  return { key: event.key, code: event.code, shift: event.shiftKey, other, repeat: event.repeat };
}

/**
 * @param {Desk} desk
 * @param {EventTarget | null} target
 */
function pageOf(desk, target) {
  const element = target instanceof HTMLElement ? target : document.body;
  const onTile = element.dataset["tile"] !== undefined;
  return {
    panel: desk.asks(),
    letters: letters.value,
    inField: element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select"),
    onControl: element.matches("button, a, summary"),
    onTile,
    pages: desk.focused.value ? 1 : desk.layout.value.pages,
    scrolls: element.closest(".record") !== null,
    checked: desk.session.board.value.check !== null,
  };
}

/** @param {Desk} desk */
function useAnnouncements(desk) {
  const before = useRef(desk.session.board.value);
  const board = desk.session.board.value;
  useEffect(() => {
    const sayings = changesBetween(before.current, board);
    before.current = board;
    if (!sayings.length) return;
    desk.say(
      sayings
        .map(({ key, values, codes }) => t(key, { ...values, ...Object.fromEntries(Object.entries(codes).map(([name, code]) => [name, t(code)])) }))
        .join(" "),
    );
  }, [board]);
}

/**
 * @param {ReadonlyMap<string, string>} one
 * @param {ReadonlyMap<string, string>} other
 */
function same(one, other) {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
