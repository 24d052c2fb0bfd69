// @ts-check
/** Chooses the laptop's screen, and does by itself what on the family's page a person does. */

import { keepAwake } from "../lib/wake.js";
import { html, useEffect } from "../lib/ui.js";
import { Call } from "./call.js";
import { Lobby, OutOfService, Ready, Starting } from "./hall.js";
import { Ended, Paused, Reconnecting } from "./stopped.js";

/** @typedef {import("../lib/leg.js").Leg} Leg */

/**
 * @param {{ leg: Leg }} props
 */
export function App({ leg }) {
  const face = leg.face.value;
  const visit = leg.visit.value;
  const media = leg.media.value;
  useEffect(() => keepAwake(), []);
  useEffect(() => {
    if (face !== "check") return;
    if (media.state === "idle") void leg.open();
    if (media.state === "ready") void leg.reportCheck();
  }, [face, media, leg.link.value]);
  switch (face) {
    case "loading":
      return html`<${Starting} />`;
    case "closed":
      return html`<${OutOfService} key="closed" leg=${leg} code=${leg.closedCode.value ?? "closed"} />`;
    case "device":
      return html`<${OutOfService} key="device" leg=${leg} code=${media.problem?.code ?? "busy"} />`;
    case "waiting":
      return html`<${Ready} key="ready" leg=${leg} />`;
    case "notice":
    case "check":
    case "lobby":
      return media.state === "failed"
        ? html`<${OutOfService} key="device" leg=${leg} code=${media.problem?.code ?? "busy"} />`
        : html`<${Lobby} key="lobby" leg=${leg} visit=${visit} />`;
    case "connecting":
    case "call":
      return html`<${Call} key="call" leg=${leg} visit=${visit} />`;
    case "reconnecting":
      return html`<${Reconnecting} key="reconnecting" leg=${leg} />`;
    case "paused":
      return html`<${Paused} key=${`paused ${visit?.pause}`} leg=${leg} visit=${visit} />`;
    case "ended":
      return html`<${Ended} key="ended" leg=${leg} visit=${visit} />`;
  }
}
