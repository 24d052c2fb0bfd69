// @ts-check
/** What comes before the lobby: the appointment, the notice, the camera and the microphone. */

import { isDemo } from "../lib/config.js";
import { listDevices } from "../lib/devices.js";
import { Icon } from "../lib/icons.js";
import { Picture } from "../lib/media_view.js";
import { Button, Heading, LevelBar, otherNames, watchedHow } from "../lib/parts.js";
import { has, t } from "../lib/text.js";
import { clock, day, isSameDay } from "../lib/time.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { Page } from "./page.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/protocol.js").VisitMessage} Visit */

/**
 * The appointment itself is the heading.
 * @param {{ leg: Leg, visit: Visit, onStart: () => void }} props
 */
export function Landing({ leg, visit, onStart }) {
  const title = appointment(visit, leg.now());
  const steps = ["notice", "check", "wait", "identity"];
  return html`<${Page} title=${title} tone="landing" foot=${html`<${Button} onClick=${onStart}>${t("family.landing.start")}<//>`}>
    <div class="hero">
      <${Heading} quiet=${true}>${title}<//>
      ${visit.starts_at && visit.ends_at
        ? html`<p class="hero-line"><${Icon} name="clock" />
            ${t("family.landing.times", { from: clock(visit.starts_at), to: clock(visit.ends_at), day: day(visit.starts_at) })}
          </p>`
        : null}
      <p class="hero-line"><${Icon} name="tick" /> ${t("family.landing.free")}</p>
    </div>
    <h2>${t("family.landing.next")}</h2>
    <ol class="steps">
      ${steps.map(
        (step, at) => html`<li>
          <span class="step-number" aria-hidden="true">${at + 1}</span>
          <div><strong>${t(`family.landing.${step}`)}</strong><p>${t(`family.landing.${step}_more`)}</p></div>
        </li>`,
      )}
    </ol>
  <//>`;
}

/**
 * @param {Visit} visit
 * @param {number} now
 */
function appointment(visit, now) {
  const name = otherNames(visit);
  if (!visit.starts_at) return t("family.landing.title_plain");
  const time = clock(visit.starts_at);
  const when = isSameDay(visit.starts_at, now) ? t("family.landing.today", { time }) : t("family.landing.on", { day: day(visit.starts_at), time });
  return name ? t("family.landing.title", { name, when }) : t("family.landing.title_no_name", { when });
}

/**
 * Who may watch, listen and record comes first and large (features F10); accepting it is on the record.
 * @param {{ leg: Leg, visit: Visit }} props
 */
export function Notice({ leg, visit }) {
  const watched = watchedHow(visit.kind);
  const recorded = visit.notice?.recorded ? "recorded" : "not_recorded";
  const foot = html`<${Button} onClick=${() => leg.accept()}>${t("family.notice.accept")}<//>
    <p class="small">${t("family.notice.version", { version: visit.notice?.version ?? "" })}</p>`;
  return html`<${Page} title=${t("family.notice.title")} foot=${foot}>
    <p class="step">${t("family.step", { at: 1, of: 2 })}</p>
    <${Heading}>${t("family.notice.title")}<//>
    <${Refusal} leg=${leg} />
    <section class="notice-box">
      <h2>${t(`family.notice.${watched}.title`)}</h2>
      <ul class="facts">
        <li><${Icon} name="eye" /> <span>${t(`family.notice.${watched}.see`)}</span></li>
        <li><${Icon} name="ear" /> <span>${t(`family.notice.${watched}.hear`)}</span></li>
        <li><${Icon} name="record" /> <span>${t(`family.notice.${recorded}`)}</span></li>
      </ul>
    </section>
    <h2>${t("family.notice.please")}</h2>
    <ul class="ticks">${["private", "dress"].map((key) => html`<li><${Icon} name="tick" /> <span>${t(`family.notice.${key}`)}</span></li>`)}</ul>
    <h2>${t("family.notice.please_not")}</h2>
    <ul class="crosses">${["no_recording", "no_others"].map((key) => html`<li><${Icon} name="cross" /> <span>${t(`family.notice.${key}`)}</span></li>`)}</ul>
    <p class="promise"><strong>${t("family.notice.children")}</strong> ${t("family.notice.children_more")}</p>
  <//>`;
}

/**
 * Camera and microphone: first asked for in words, then seen and heard by the person alone.
 * @param {{ leg: Leg }} props
 */
export function Check({ leg }) {
  const { state, local } = leg.media.value;
  if (state !== "ready" || !local) return html`<${AskForDevices} leg=${leg} opening=${state === "opening"} />`;
  const standIn = local.camera !== "ok" || local.microphone !== "ok";
  const title = standIn ? t("family.check.title_test") : t("family.check.title");
  return html`<${Page} title=${title} foot=${html`<${Button} onClick=${() => leg.reportCheck()}>${t("family.check.continue")}<//>`}>
    <p class="step">${t("family.step", { at: 2, of: 2 })}</p>
    <${Heading} key="ready">${title}<//>
    <${Refusal} leg=${leg} />
    ${standIn ? html`<p class="inset">${t("family.check.test_note")}</p>` : null}
    <figure class="self-check">
      <${Picture} track=${local.video} mirrored=${local.camera === "ok"} label=${t("family.check.own_picture")} />
      <figcaption>${t("family.check.only_you")}</figcaption>
    </figure>
    <div class="meter"><${Icon} name="microphone" /><${LevelBar} track=${local.audio} /></div>
    <p class="small">${t("family.check.talk")}</p>
    <${DeviceChoice} leg=${leg} />
  <//>`;
}

/**
 * @param {{ leg: Leg, opening: boolean }} props
 */
function AskForDevices({ leg, opening }) {
  const title = t("family.check.ask_title");
  const button = html`<${Button} icon="camera" onClick=${() => leg.open()}>${opening ? t("common.please_wait") : t("family.check.turn_on")}<//>`;
  return html`<${Page} title=${title} foot=${button}>
    <p class="step">${t("family.step", { at: 2, of: 2 })}</p>
    <${Heading} key="ask">${title}<//>
    <p>${t("family.check.ask_text")}</p>
    <p>${t("family.check.ask_allow")}</p>
    <p class="inset">${t("family.check.ask_private")}</p>
  <//>`;
}

/**
 * Choosing a device is apart from turning it off (suitenumerique/meet#46: one control for both confuses).
 * @param {{ leg: Leg }} props
 */
export function DeviceChoice({ leg }) {
  const [lists, setLists] = useState({ cameras: /** @type {MediaDeviceInfo[]} */ ([]), microphones: /** @type {MediaDeviceInfo[]} */ ([]) });
  const local = leg.media.value.local;
  useEffect(() => {
    let here = true;
    void listDevices().then((found) => here && setLists(found));
    return () => {
      here = false;
    };
  }, [local]);
  if (lists.cameras.length < 2 && lists.microphones.length < 2) return null;
  return html`<div class="choices">
    <${DeviceSelect} name="camera" devices=${lists.cameras} chosen=${local?.video.getSettings().deviceId}
      onChoose=${(/** @type {string} */ id) => leg.open({ camera: id })} />
    <${DeviceSelect} name="microphone" devices=${lists.microphones} chosen=${local?.audio.getSettings().deviceId}
      onChoose=${(/** @type {string} */ id) => leg.open({ microphone: id })} />
  </div>`;
}

/**
 * @param {{ name: string, devices: MediaDeviceInfo[], chosen: string | undefined, onChoose: (id: string) => void }} props
 */
function DeviceSelect({ name, devices, chosen, onChoose }) {
  if (devices.length < 2) return null;
  return html`<p class="field">
    <label for=${`choose-${name}`}>${t(`family.check.${name}`)}</label>
    <select id=${`choose-${name}`} value=${chosen} onChange=${(/** @type {any} */ event) => onChoose(event.target.value)}>
      ${devices.map((device) => html`<option value=${device.deviceId} selected=${device.deviceId === chosen}>${device.label}</option>`)}
    </select>
  </p>`;
}

/**
 * No camera or no microphone: the device is not sharing, the person did nothing wrong, the place is kept.
 * @param {{ leg: Leg, token: string | null }} props
 */
export function DeviceHelp({ leg, token }) {
  const problem = leg.media.value.problem;
  const code = problem?.code ?? "busy";
  const title = t(`family.device.${code}.title`);
  const steps = [1, 2, 3].map((at) => t(`family.device.${code}.step${at}`));
  const foot = html`<${Button} icon="again" onClick=${() => leg.open()}>${t("family.device.again")}<//>
    ${isDemo() ? html`<button type="button" class="link-button" onClick=${() => leg.openStandIns()}>${t("family.device.use_test")}</button>` : null}`;
  return html`<${Page} title=${title} foot=${foot}>
    <${Heading}>${title}<//>
    <p>${t("family.device.keep_calm")}</p>
    <ol class="steps">
      ${steps.map((step, at) => html`<li><span class="step-number" aria-hidden="true">${at + 1}</span><div>${step}</div></li>`)}
    </ol>
    ${code === "timeout" && token ? html`<${CopyLink} token=${token} />` : null}
  <//>`;
}

/**
 * The browsers inside other apps have no camera: carry the link over.
 * @param {{ token: string }} props
 */
export function CopyLink({ token }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(`${location.origin}/visit#${token}`).catch(() => undefined);
    setDone(true);
  };
  return html`<${Button} kind="second" onClick=${copy}>${t("family.device.copy_link")}<//>
    <p class="small" role="status">${done ? t("family.device.copied") : ""}</p>`;
}

/**
 * @param {{ leg: Leg }} props
 */
function Refusal({ leg }) {
  const code = leg.refused.value;
  return html`<div role="alert">${code ? html`<p class="error">${t(has(`family.refused.${code}`) ? `family.refused.${code}` : "family.refused.other")}</p>` : null}</div>`;
}
