// @ts-check
/** Chooses the family's screen. Each screen is a file's; what decides is lib/face.js. */

import { keepAwake } from "../lib/wake.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { Check, DeviceHelp, Landing, Notice } from "./before.js";
import { Call } from "./call.js";
import { Lobby } from "./lobby.js";
import { Closed, Ended, Loading } from "./over.js";
import { Paused, Reconnecting } from "./stopped.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */
/** @typedef {import("../lib/face.js").Face} Face */

/** Screens on which nothing is touched for minutes. @type {Set<Face>} */
const STAY_AWAKE = new Set(/** @type {Face[]} */ (["lobby", "connecting", "call", "reconnecting", "paused"]));

/**
 * @param {{ leg: Leg, token: string | null }} props
 */
export function App({ leg, token }) {
  const face = leg.face.value;
  const [begun, setBegun] = useState(false);
  const awake = STAY_AWAKE.has(face);
  useEffect(() => (awake ? keepAwake() : undefined), [awake]);
  const visit = leg.visit.value;
  switch (face) {
    case "loading":
    case "waiting":
      return html`<${Loading} />`;
    case "closed":
      return html`<${Closed} code=${leg.closedCode.value ?? "closed"} />`;
    case "notice":
      return begun
        ? html`<${Notice} key="notice" leg=${leg} visit=${visit} />`
        : html`<${Landing} key="landing" leg=${leg} visit=${visit} onStart=${() => setBegun(true)} />`;
    case "check":
      return leg.media.value.state === "failed"
        ? html`<${DeviceHelp} key="device" leg=${leg} token=${token} />`
        : html`<${Check} key="check" leg=${leg} />`;
    case "device":
      return html`<${DeviceHelp} key="device" leg=${leg} token=${token} />`;
    case "lobby":
      return html`<${Lobby} key="lobby" leg=${leg} visit=${visit} />`;
    case "connecting":
    case "call":
      return html`<${Call} key="call" leg=${leg} visit=${visit} />`;
    case "reconnecting":
      return html`<${Reconnecting} key="reconnecting" leg=${leg} visit=${visit} />`;
    case "paused":
      return html`<${Paused} key=${`paused ${visit?.pause}`} leg=${leg} visit=${visit} />`;
    case "ended":
      return html`<${Ended} key="ended" visit=${visit} />`;
  }
}
