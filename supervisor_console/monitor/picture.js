// @ts-check
/** One person's picture on the wall, its placeholder, and the curtain over a held call. Each measured for the proof. */

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { isPresent } from "../lib/calls.js";
import { eachFrame } from "../lib/shown.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").LegPart} LegPart */
/** @typedef {import("../../web/lib/protocol.js").LinePart} LinePart */
/** @typedef {import("../lib/board.js").Still} Still */

const STILL_OLD_MS = 6000; // policy still_fresh_s and a second: then it is no picture of now
const STOPPED_MS = 3000; // no frame for so long: what stands there is old (as the broker's news, NOTES-console 1.5)

/**
 * @param {{ desk: Desk, call: CallPart, leg: LegPart }} props
 */
export function Picture({ desk, call, leg }) {
  const line = desk.session.board.value.lines.find((one) => one.kind === "video" && one.leg_id === leg.id);
  const still = !line && desk.session.board.value.stills.get(leg.id);
  if (still && leg.connected) return html`<${StillPicture} key=${leg.id} desk=${desk} call=${call} leg=${leg} still=${still} />`;
  const track = line ? desk.media.track(line) : null;
  if (!line || !track) return html`<${Placeholder} desk=${desk} call=${call} leg=${leg} />`;
  return html`<${Live} key=${`${leg.id} ${line.home} ${line.index} ${track.id}`} desk=${desk} call=${call} leg=${leg} line=${line} track=${track} />`;
}

/**
 * Covered until a frame arrives that was received after the line was pointed here (no name over a wrong face), and again
 * when frames stop: an old picture is not left to look like a live one. While covered, the cover is what is measured.
 * Without news the last picture stays, grey and marked as old, and nothing of it is claimed.
 * @param {{ desk: Desk, call: CallPart, leg: LegPart, line: LinePart, track: MediaStreamTrack }} props
 */
function Live({ desk, call, leg, line, track }) {
  const place = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const cover = useRef(/** @type {HTMLDivElement | null} */ (null));
  const newest = useRef(0);
  const [moving, setMoving] = useState(false);
  useLayoutEffect(() => {
    const video = place.current;
    if (!video) return;
    const since = performance.now();
    let seen = 0;
    video.srcObject = new MediaStream([track]);
    video.play().catch(() => {}); // a picture without sound may always play; a removed element rejects
    const stop = eachFrame(video, (frame) => {
      seen += 1;
      if (frame.receiveTime === undefined ? seen < 2 : frame.receiveTime < since) return;
      newest.current = performance.now();
      setMoving(true);
    });
    return () => {
      stop();
      video.srcObject = null;
    };
  }, []);
  useEffect(() => {
    const timer = setInterval(() => setMoving(performance.now() - newest.current < STOPPED_MS), STOPPED_MS / 3);
    return () => clearInterval(timer);
  }, []);
  const covered = !moving && (!desk.session.stale.value || newest.current === 0);
  useLayoutEffect(() => {
    const element = covered ? cover.current : place.current;
    return element ? desk.meter.watch(leg.id, element, covered ? null : line) : undefined;
  }, [covered]);
  return html`<div class="pic">
    <video ref=${place} data-leg=${leg.id} data-moving=${moving} aria-label=${t(`monitor.picture.${side(leg)}`)} muted autoplay playsinline disablepictureinpicture></video>
    ${covered && html`<div class="pic-cover" ref=${cover}><span>${whyNone(call, leg)}</span></div>`}
  </div>`;
}

/**
 * A still of a leg beyond the live lines. It is taken away when none has come for a while, and while news is old it is marked
 * as every picture is; each is measured under its own number, once the browser has decoded it.
 * @param {{ desk: Desk, call: CallPart, leg: LegPart, still: Still }} props
 */
function StillPicture({ desk, call, leg, still }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const [shown, setShown] = useState(/** @type {number | null} */ (null));
  const before = useRef("");
  const [old, setOld] = useState(false);
  useEffect(() => {
    setOld(false);
    if (before.current === still.jpeg) setShown(still.n); // the very same picture again loads nothing
    before.current = still.jpeg;
    const timer = setTimeout(() => setOld(true), STILL_OLD_MS);
    return () => clearTimeout(timer);
  }, [still.n]);
  useLayoutEffect(
    () => (place.current ? desk.meter.watch(leg.id, place.current, null, old ? null : shown) : undefined),
    [leg.id, shown, old],
  );
  if (old) return html`<div class="pic pic-none" data-leg=${leg.id} ref=${place}><span>${whyNone(call, leg)}</span></div>`;
  return html`<div class="pic pic-stills">
    <img
      ref=${place}
      src=${`data:image/jpeg;base64,${still.jpeg}`}
      data-leg=${leg.id}
      data-still=${still.n}
      alt=${t(`monitor.still.${side(leg)}`)}
      onLoad=${() => setShown(still.n)}
    />
    <span>${t("monitor.still")}</span>
  </div>`;
}

/**
 * What stands where no picture is: it says why, and counts as presented (design README 5).
 * @param {{ desk: Desk, call: CallPart, leg: LegPart }} props
 */
function Placeholder({ desk, call, leg }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => (place.current ? desk.meter.watch(leg.id, place.current, null) : undefined), [leg.id]);
  return html`<div class="pic pic-none" data-leg=${leg.id} ref=${place}><span>${whyNone(call, leg)}</span></div>`;
}

/**
 * One curtain for all legs of a held call: nothing of it flows, and the words say whose hold it is.
 * @param {{ desk: Desk, call: CallPart, look: string, children?: unknown }} props
 */
export function Curtain({ desk, call, look, children }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const stops = call.legs.map((leg) => desk.meter.watch(leg.id, element, null));
    return () => stops.forEach((stop) => stop());
  }, [call.legs.map((leg) => leg.id).join()]);
  return html`<div class=${`curtain curtain-${look}`} ref=${place}>${children}</div>`;
}

/**
 * @param {CallPart} call
 * @param {LegPart} leg
 * @returns {string}
 */
function whyNone(call, leg) {
  if (call.phase === "lobby" && leg.role === "prisoner") return t("monitor.picture.not_before_check");
  if (leg.connected && !leg.sends.includes("video")) return t("monitor.picture.voice_only");
  if (call.phase === "lobby" && !isPresent(leg)) return t(`step.${leg.step}`);
  return leg.connected ? t("monitor.picture.coming") : t("monitor.picture.not_connected");
}

/**
 * @param {LegPart} leg
 * @returns {"seat" | "family"}
 */
export function side(leg) {
  return leg.role === "prisoner" ? "seat" : "family";
}
