// @ts-check
/** Looks at the pictures of the wall by machine, one tile a second in turn, and advises the broker. It acts on nothing. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { LOOK, Suspicions, lookAt } from "../lib/detect.js";
import { countFaces, faceWords } from "./faces.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */

const TURN_MS = 1000;
const SAY_EVERY = 5; // turns: what stands is said again well within policy `advice_fresh_s`

/**
 * @param {Desk} desk
 * @returns {() => void} Stops it.
 */
export function detect(desk) {
  const suspicions = new Suspicions();
  const canvas = new OffscreenCanvas(LOOK.width, LOOK.height);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let turn = 0;
  const timer = setInterval(() => {
    turn += 1;
    const calls = lookable(desk);
    suspicions.keep(new Set(calls.map((call) => call.id)));
    const call = calls[turn % (calls.length || 1)];
    const now = desk.session.connection?.now() ?? Date.now();
    if (call && pen) look(suspicions, pen, call, now);
    for (const one of calls) suspicions.heard(one.id, levelsOf(desk, one), now);
    if (turn % SAY_EVERY === 0) say(desk, suspicions);
  }, TURN_MS);
  const stop = countFaces(desk, {
    calls: () => lookable(desk),
    unseen: (callId, legId) => suspicions.stands(callId, legId, "covered") || suspicions.stands(callId, legId, "frozen"),
  });
  return () => {
    clearInterval(timer);
    stop();
  };
}

/**
 * Calls whose pictures move on a page that is seen: what the browser does not draw would look frozen.
 * @param {Desk} desk
 * @returns {CallPart[]}
 */
function lookable(desk) {
  const { session } = desk;
  if (document.visibilityState !== "visible" || session.stale.peek() || !session.onPost.peek()) return [];
  return [...session.board.peek().calls.values()].filter((call) => call.detectors && call.phase === "live" && !call.holds.length);
}

/**
 * @param {Suspicions} suspicions
 * @param {OffscreenCanvasRenderingContext2D} pen
 * @param {CallPart} call
 * @param {number} now
 */
function look(suspicions, pen, call, now) {
  for (const leg of call.legs) {
    const video = /** @type {HTMLVideoElement | null} */ (document.querySelector(`video[data-leg="${CSS.escape(leg.id)}"][data-moving=true]`));
    if (!video || !video.videoWidth) {
      suspicions.unseen(call.id, leg.id);
      continue;
    }
    pen.drawImage(video, 0, 0, LOOK.width, LOOK.height);
    suspicions.looked(call.id, leg.id, lookAt(pen.getImageData(0, 0, LOOK.width, LOOK.height).data), now);
  }
}

/**
 * @param {Desk} desk
 * @param {CallPart} call
 * @returns {number[]} Of every end that sends sound; none where an end sends none, so that nothing is said of it.
 */
function levelsOf(desk, call) {
  const health = desk.session.board.peek().health;
  const known = call.legs.map((leg) => health.get(leg.id));
  return known.every((one) => one?.sends_audio) ? known.map((one) => one?.level ?? 1) : [];
}

/**
 * @param {Desk} desk
 * @param {Suspicions} suspicions
 */
function say(desk, suspicions) {
  if (!desk.session.onPost.peek()) return void suspicions.take(); // off post nothing is claimed, and nothing is taken back
  for (const { callId, legId, code, since } of suspicions.take()) {
    const began = since === null ? null : new Date(since).toISOString();
    desk.session.connection?.send({ type: "advice", call_id: callId, leg_id: legId, code, since: began });
  }
}

/** What is looked for in this call, and what is not. @param {{ call: CallPart }} props */
export function Detects({ call }) {
  if (call.phase !== "live") return null;
  return html`<p class="detects">${call.detectors ? `${t("monitor.detect.only")} ${faceWords(call)}` : t("monitor.detect.off")}</p>`;
}
