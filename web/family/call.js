// @ts-check
/** The call: the far picture has the stage; name, minutes and the notice stand above it, never on it. */

import { Icon } from "../lib/icons.js";
import { Looks } from "../lib/looks.js";
import { Picture, Sound } from "../lib/media_view.js";
import { Ask, Heading, MinutesAloud, noticeLine, otherNames, useMinutesLeft, useTitle, Warnings, WeakLink } from "../lib/parts.js";
import { t } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { html, useState } from "../lib/ui.js";
import { DeviceChoice } from "./before.js";
import { HandSaid, handWord } from "./hand.js";
import { Help } from "./page.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */

/**
 * @param {{ leg: Leg, visit: Visit }} props
 */
export function Call({ leg, visit }) {
  const name = otherNames(visit) || t("family.call.other");
  useTitle(`${t("family.call.title", { name })} – ${t("family.name")}`);
  const left = useMinutesLeft(leg, visit);
  return html`<div class="call">
    <header>
      <div class="call-head">
        <div>
          <${Heading}>${name}<//>
          <${TimeLeft} left=${left} visit=${visit} />
        </div>
        <${Help} />
      </div>
      <${Looks} leg=${leg} visit=${visit} mayRefuse=${true} />
      <p class="notice-line"><${Icon} name="eye" /> <span>${noticeLine(visit)}</span></p>
      <${MinutesAloud} left=${left} />
      <${HandSaid} visit=${visit} />
    </header>
    <main class="stage">
      <${Warnings} leg=${leg} />
      <${WeakLink} leg=${leg} />
      <${FarEnd} leg=${leg} name=${name} />
      <${SelfView} leg=${leg} />
    </main>
    <${Controls} leg=${leg} visit=${visit} name=${name} />
  </div>`;
}

/**
 * @param {{ left: number | null, visit: Visit }} props
 */
function TimeLeft({ left, visit }) {
  if (left === null || !visit.ends_at) return null;
  return html`<p class=${`time-left ${left <= 5 ? "is-short" : ""}`}>
    <strong>${t("common.minutes_left", { n: left })}</strong> <span>${t("common.ends_at", { time: clock(visit.ends_at) })}</span>
  </p>`;
}

/**
 * @param {{ leg: Leg, name: string }} props
 */
function FarEnd({ leg, name }) {
  const [blocked, setBlocked] = useState(/** @type {{ play: () => void } | null} */ (null));
  const pictures = leg.pictures.value;
  const tap = () => {
    blocked?.play();
    setBlocked(null);
  };
  return html`<div class="far" data-pictures=${pictures.length}>
    ${pictures.length
      ? pictures.map((far) => html`<${Picture} key=${far.track.id} track=${far.track} label=${t("family.call.picture_of", { name })} />`)
      : html`<p class="far-none">${leg.soundOnly.value ? t("common.link.sound_only") : t("family.call.connecting", { name })}</p>`}
    ${leg.sounds.value.map(
      (far) => html`<${Sound} key=${far.track.id} track=${far.track} onBlocked=${(/** @type {() => void} */ play) => setBlocked({ play })} />`,
    )}
    ${blocked ? html`<button type="button" class="button is-main tap-to-hear" onClick=${tap}><${Icon} name="speaker" /><span>${t("common.tap_to_hear")}</span></button>` : null}
  </div>`;
}

const CORNERS = ["bottom right", "bottom left", "top left", "top right"];

/**
 * One's own picture, mirrored. One press moves it to the next corner, off a face.
 * @param {{ leg: Leg }} props
 */
function SelfView({ leg }) {
  const [corner, setCorner] = useState(0);
  const local = leg.media.value.local;
  if (!local) return null;
  const place = CORNERS[corner] ?? "";
  return html`<div class=${`self ${place.split(" ").map((side) => `is-${side}`).join(" ")}`}>
    <${Picture} track=${local.video} mirrored=${local.camera === "ok"} label=${t("family.check.own_picture")} />
    ${leg.cameraOff.value ? html`<p class="self-off">${t("family.call.camera_is_off")}</p>` : null}
    <button type="button" class="self-move" aria-label=${t("family.call.move_self")} onClick=${() => setCorner((corner + 1) % CORNERS.length)}>
      ${leg.muted.value ? t("family.call.muted") : t("family.call.you")}
    </button>
  </div>`;
}

/**
 * Verbs for what will happen. Leave asks once.
 * @param {{ leg: Leg, visit: Visit, name: string }} props
 */
function Controls({ leg, visit, name }) {
  const [asking, setAsking] = useState(/** @type {"" | "leave" | "settings"} */ (""));
  const { muted, cameraOff } = leg;
  return html`<footer class="controls" aria-label=${t("family.call.controls")}>
    <${Control} icon=${muted.value ? "microphone_off" : "microphone"} off=${muted.value}
      word=${t(muted.value ? "family.call.unmute" : "family.call.mute")} onClick=${() => (muted.value = !muted.value)} />
    <${Control} icon=${cameraOff.value ? "camera_off" : "camera"} off=${cameraOff.value}
      word=${t(cameraOff.value ? "family.call.camera_on" : "family.call.camera_off")} onClick=${() => (cameraOff.value = !cameraOff.value)} />
    <${Control} icon="hand" off=${visit.hand} word=${handWord(visit)} onClick=${() => leg.help(!visit.hand)} />
    <${Control} icon="settings" word=${t("family.call.settings")} onClick=${() => setAsking(asking === "settings" ? "" : "settings")} />
    <${Control} icon="leave" kind="leave" word=${t("family.call.leave")} onClick=${() => setAsking("leave")} />
    ${asking === "settings"
      ? html`<div class="settings-panel"><${DeviceChoice} leg=${leg} /><p class="small">${t("family.lobby.devices_more")}</p></div>`
      : null}
    ${asking === "leave"
      ? html`<${Ask} title=${t("family.leave.title")} text=${t("family.leave.text", { name })} yes=${t("family.leave.yes")} no=${t("family.leave.no")}
          onYes=${() => leg.leave()} onNo=${() => setAsking("")} />`
      : null}
  </footer>`;
}

/**
 * @param {{ icon: string, word: string, onClick: () => void, off?: boolean, kind?: string }} props
 */
function Control({ icon, word, onClick, off = false, kind = "" }) {
  return html`<button type="button" class=${`control ${off ? "is-off" : ""} ${kind ? `is-${kind}` : ""}`} onClick=${onClick}>
    <span class="control-sign"><${Icon} name=${icon} size=${28} /></span><span>${word}</span>
  </button>`;
}
