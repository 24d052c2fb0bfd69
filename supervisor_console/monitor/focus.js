// @ts-check
/** One call, large, with its sound; every other call stays in the strip. */

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { contactNames, lookOf } from "../lib/calls.js";
import { icon } from "../lib/icons.js";
import { CallRecord } from "./record.js";
import { PrivilegedCard } from "./privileged.js";
import { Risk } from "./risk.js";
import { Detects } from "./detectors.js";
import { LossGraphs } from "./losses.js";
import { Healths, Pictures, TimeLeft, hears, missingWords, stateWord } from "./tile.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** @param {{ desk: Desk, id: string, place: number }} props */
export function Focus({ desk, id, place }) {
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => {
    if (desk.panel.value === null) heading.current?.focus();
  }, [id]);
  const board = desk.session.board.value;
  const call = board.calls.get(id);
  if (!call) return null;
  const look = lookOf(board, call);
  return html`<section class="focus" data-call=${id} data-look=${look} aria-label=${t("monitor.focus")}>
    <header class="focus-head">
      <h2 tabindex="-1" ref=${heading}>
        <span class="place">${place + 1}</span> <span class="number">${call.prisoner_number}</span>
        <span class="initials">${call.prisoner_initials}</span>
      </h2>
      <p class="focus-who">${contactNames(call).join(", ")}</p>
      <p>${t(`kind.${call.kind}`)} · ${t("monitor.seat_of_hall", { seat: call.seat, hall: call.hall })} · ${t(call.recorded ? "monitor.recorded" : "monitor.not_recorded")}</p>
      ${call.synthetic && html`<span class="chip synthetic">${t("console.synthetic")}</span>`}
      <span class=${`chip tier tier-${call.tier}`}>${t(`monitor.tier.${call.tier}`)}</span>
      <span class=${`state state-${look}`}>${stateWord(desk, call, look)}</span>
      <${Risk} call=${call} />
      <${TimeLeft} desk=${desk} call=${call} />
    </header>
    <div class="focus-pics"><${Pictures} desk=${desk} call=${call} look=${look} /></div>
    <${Healths} desk=${desk} call=${call} />
    <${LossGraphs} desk=${desk} call=${call} />
    <${Detects} call=${call} />
    ${call.privileged ? html`<${PrivilegedCard} desk=${desk} call=${call} />` : html`<${SoundChoice} desk=${desk} call=${call} />`}
    <${CallRecord} desk=${desk} callId=${call.id} />
  </section>`;
}

/** @param {{ desk: Desk, call: import("../../web/lib/protocol.js").CallPart }} props */
function SoundChoice({ desk, call }) {
  return html`<p class="focus-sound">
    <button type="button" class="plain" aria-pressed=${desk.sound.value} onClick=${() => desk.do({ type: "sound" })}>
      ${icon("sound")} ${desk.sound.value ? t("monitor.sound.wanted") : t("monitor.sound.off")} <kbd>S</kbd>
    </button>
    <span>${hears(desk, call) ? t("monitor.sound.this_call") : t("monitor.sound.nothing")}</span>
    <span>${missingWords(call)}</span>
  </p>`;
}

/** The lines of sound: all silent but those that carry the call in focus. @param {{ desk: Desk }} props */
export function Sound({ desk }) {
  const lines = desk.session.board.value.lines.filter((line) => line.kind === "audio");
  return html`<div hidden>
    ${lines.map((line) => {
      const open = desk.sound.value && !desk.session.stale.value && line.call_id !== null && line.call_id === desk.focused.value;
      return html`<${SoundLine} key=${`${line.home} ${line.index}`} track=${desk.media.track(line)} open=${open} leg=${line.leg_id} />`;
    })}
  </div>`;
}

/** @param {{ track: MediaStreamTrack | null, open: boolean, leg: string | null }} props */
function SoundLine({ track, open, leg }) {
  const place = useRef(/** @type {HTMLAudioElement | null} */ (null));
  useLayoutEffect(() => {
    const audio = place.current;
    if (!audio) return undefined;
    audio.srcObject = track ? new MediaStream([track]) : null;
    return () => {
      audio.srcObject = null; // an element that is gone from the page would play on
    };
  }, [track]);
  useEffect(() => {
    const audio = place.current;
    if (!audio) return;
    audio.muted = !open;
    if (open) audio.play().catch(() => {}); // sound needs one press on the page: "sign on" was it
  }, [open, track]);
  return html`<audio ref=${place} data-leg=${leg} data-open=${open}></audio>`;
}
