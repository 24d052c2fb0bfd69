// @ts-check
/** Counts faces on the wall, one end after the other, and advises the broker. It acts on nothing. */

import { signal } from "@preact/signals";
import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { FaceCounts, Pace, facesIn } from "../lib/faces.js";
import { FaceWorker, Unavailable } from "./face_worker.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../lib/faces.js").End} End */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {{ state: "off" | "starting" | "counting" } | { state: "unavailable", why: import("./face_worker.js").Why }} Counting */

const IDLE_MS = 1000;
const SAY_MS = 5000; // what stands is said again well within policy `advice_fresh_s`

/** Whether faces are counted on this page. */
export const counting = signal(/** @type {Counting} */ ({ state: "off" }));

/**
 * @param {Desk} desk
 * @param {{ calls: () => CallPart[], unseen: (callId: string, legId: string) => boolean }} wall Calls that may be looked
 *   at, and ends whose camera is covered or whose picture stands: no face is missed there.
 * @returns {() => void} Stops it.
 */
export function countFaces(desk, { calls, unseen }) {
  const counts = new FaceCounts();
  const pace = new Pace();
  /** @type {FaceWorker | null} */
  let worker = null;
  let timer = 0;
  let over = false;
  let saidAt = 0;
  const now = () => desk.session.connection?.now() ?? Date.now();

  async function turn() {
    const ends = calls().flatMap((call) => endsOf(call)).filter((end) => !unseen(end.callId, end.legId));
    counts.keep(ends);
    if (!desk.session.onPost.peek()) stop();
    const end = counting.peek().state === "unavailable" ? null : counts.next(ends, now());
    const rest = end ? await look(end) : IDLE_MS;
    say(end !== null);
    if (!over) timer = window.setTimeout(turn, rest);
  }

  /** @param {End} end */
  async function look(end) {
    try {
      worker ??= await begin();
      const video = videoOf(end.legId);
      if (!video) return IDLE_MS;
      const at = now();
      const { scores, ms } = await worker.look(video);
      counts.counted(end, facesIn(scores), at);
      return pace.restAfter(ms);
    } catch (error) {
      stop();
      counts.keep([]);
      counting.value = { state: "unavailable", why: error instanceof Unavailable ? error.why : "start" };
      return IDLE_MS;
    }
  }

  async function begin() {
    counting.value = { state: "starting" };
    const begun = (worker = new FaceWorker());
    await begun.ready();
    counting.value = { state: "counting" };
    return begun;
  }

  /** @param {boolean} looked */
  function say(looked) {
    const at = now();
    if (!looked && !counts.gone.length && at - saidAt < SAY_MS) return;
    saidAt = at;
    for (const { callId, legId, code, since } of counts.take(at)) {
      const began = since === null ? null : new Date(since).toISOString();
      desk.session.connection?.send({ type: "advice", call_id: callId, leg_id: legId, code, since: began });
    }
  }

  /** Whoever signs on again tries again. */
  function stop() {
    worker?.stop();
    worker = null;
    counting.value = { state: "off" };
  }

  timer = window.setTimeout(turn, IDLE_MS);
  return () => {
    over = true;
    clearTimeout(timer);
    stop();
  };
}

/** @param {CallPart} call @returns {End[]} Those whose picture moves on this page. */
function endsOf(call) {
  return call.legs.flatMap((leg) => {
    const counted = typeof leg.faces === "number" && videoOf(leg.id) !== null;
    return counted ? [{ callId: call.id, legId: leg.id, expected: /** @type {number} */ (leg.faces) }] : [];
  });
}

/** @param {string} legId @returns {HTMLVideoElement | null} */
function videoOf(legId) {
  const video = /** @type {HTMLVideoElement | null} */ (document.querySelector(`video[data-leg="${CSS.escape(legId)}"][data-moving=true]`));
  return video?.videoWidth ? video : null;
}

/** @param {CallPart} call @returns {string} What is to be said of faces in this call. */
export function faceWords(call) {
  if (!call.legs.some((leg) => typeof leg.faces === "number")) return t("monitor.faces.off");
  const now = counting.value;
  return now.state === "unavailable" ? t("monitor.faces.unavailable", { why: t(`monitor.faces.why.${now.why}`) }) : t(`monitor.faces.${now.state}`);
}

/** At the foot of the rail: a detector that does not run is never taken for one that sees nothing. @param {{ desk: Desk }} props */
export function FacesLine({ desk }) {
  const wanted = [...desk.session.board.value.calls.values()].find((call) => call.legs.some((leg) => typeof leg.faces === "number"));
  if (!wanted) return null;
  return html`<p class="detects" data-faces=${counting.value.state}>${faceWords(wanted)}</p>`;
}
