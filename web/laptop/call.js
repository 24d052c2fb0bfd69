// @ts-check
/** The call on the laptop: the visitors centred at the top edge, minutes left, one's own picture at eye height. */

import { Looks } from "../lib/looks.js";
import { Picture, Sound } from "../lib/media_view.js";
import { Ask, Button, Heading, MinutesAloud, noticeLine, otherNames, useMinutesLeft, useTitle, Warnings, WeakLink } from "../lib/parts.js";
import { t } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { html, useState } from "../lib/ui.js";
import { CallStaff, Icon } from "./screen.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */

/**
 * @param {{ leg: Leg, visit: Visit }} props
 */
export function Call({ leg, visit }) {
  const name = otherNames(visit) || t("laptop.call.other");
  const title = t("laptop.call.title", { name });
  useTitle(`${title} – ${t("laptop.name")}`);
  const left = useMinutesLeft(leg, visit);
  const local = leg.media.value.local;
  return html`<div class="call">
    <main class="call-stage">
      <div class=${`call-time ${left !== null && left <= 5 ? "is-short" : ""}`}>
        <${Heading} class="visually-hidden">${title}<//>
        <${MinutesAloud} left=${left} />
        ${left === null || !visit.ends_at
          ? null
          : html`<p><strong>${left}</strong> ${t("laptop.call.minutes", { n: left })}</p>
              <p class="small">${t("laptop.call.ends", { time: clock(visit.ends_at) })}</p>`}
      </div>
      <${FarEnd} leg=${leg} name=${name} />
      <div class="self">
        <${Picture} track=${local?.video ?? null} mirrored=${local?.camera === "ok"} label=${t("laptop.lobby.own_picture")} />
        <p class="small">${t("laptop.call.you")}</p>
      </div>
      <${Looks} leg=${leg} visit=${visit} />
      <${Warnings} leg=${leg} />
      <${WeakLink} leg=${leg} />
    </main>
    <${Foot} leg=${leg} visit=${visit} name=${name} />
  </div>`;
}

/**
 * @param {{ leg: Leg, visit: Visit, name: string }} props
 */
function Foot({ leg, visit, name }) {
  const [asking, setAsking] = useState(false);
  return html`<footer class="screen-foot">
    <${CallStaff} leg=${leg} kind="bright" />
    <p class="notice-line"><${Icon} name="eye" /> <span>${noticeLine(visit)}</span></p>
    <${Button} kind="outline" icon="leave" onClick=${() => setAsking(true)}>${t("laptop.call.end")}<//>
    ${asking
      ? html`<${Ask} title=${t("laptop.end.title")} text=${t("laptop.end.text", { name })} yes=${t("laptop.end.yes")} no=${t("laptop.end.no")}
          onYes=${() => leg.leave()} onNo=${() => setAsking(false)} />`
      : null}
  </footer>`;
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
      ? pictures.map((far) => html`<${Picture} key=${far.track.id} track=${far.track} label=${t("laptop.call.picture_of", { name })} />`)
      : html`<p class="far-none">${leg.soundOnly.value ? t("common.link.sound_only") : t("laptop.call.connecting", { name })}</p>`}
    ${leg.sounds.value.map(
      (far) => html`<${Sound} key=${far.track.id} track=${far.track} onBlocked=${(/** @type {() => void} */ play) => setBlocked({ play })} />`,
    )}
    ${blocked ? html`<button type="button" class="button is-bright tap-to-hear" onClick=${tap}><${Icon} name="speaker" /><span>${t("common.tap_to_hear")}</span></button>` : null}
  </div>`;
}
