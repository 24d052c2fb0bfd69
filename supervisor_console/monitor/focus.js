// @ts-check
/** One call, large, with its sound; every other call stays in the strip. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { contactNames, lookOf } from "../lib/calls.js";
import { icon } from "../lib/icons.js";
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
  const heard = hears(desk, call);
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
      <${TimeLeft} desk=${desk} call=${call} />
    </header>
    <${Pictures} desk=${desk} call=${call} look=${look} />
    <${Healths} desk=${desk} call=${call} />
    <p class="focus-sound">
      <button type="button" class="plain" aria-pressed=${desk.sound.value} onClick=${() => desk.do({ type: "sound" })}>
        ${icon("sound")} ${desk.sound.value ? t("monitor.sound.wanted") : t("monitor.sound.off")} <kbd>S</kbd>
      </button>
      <span>${heard ? t("monitor.sound.this_call") : t("monitor.sound.nothing")}</span>
      <span>${missingWords(call)}</span>
    </p>
  </section>`;
}

/** The one line of sound, muted unless it carries the call in focus. @param {{ desk: Desk }} props */
export function Sound({ desk }) {
  const place = useRef(/** @type {HTMLAudioElement | null} */ (null));
  const line = desk.session.board.value.lines.find((one) => one.kind === "audio");
  const track = desk.media.track("audio", line?.index ?? 0);
  const open = desk.sound.value && line?.call_id != null && line.call_id === desk.focused.value;
  useEffect(() => {
    const audio = place.current;
    if (!audio) return;
    audio.srcObject = track ? new MediaStream([track]) : null;
    audio.play().catch(() => {}); // the press on "sign on" allows sound; without one the next press of Enter does
  }, [track]);
  useEffect(() => {
    const audio = place.current;
    if (!audio) return;
    audio.muted = !open;
    if (open) audio.play().catch(() => {});
  }, [open]);
  return html`<audio ref=${place} autoplay data-open=${open}></audio>`;
}
