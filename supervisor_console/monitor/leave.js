// @ts-check
/** Leaving the post: says first what then happens to the calls. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { countsOf } from "./topbar.js";
import { PanelFrame } from "./panel.js";

/** @param {{ desk: import("./desk.js").Desk }} props */
export function LeavePanel({ desk }) {
  const { live } = countsOf(desk.session.board.value, desk.hidden.value);
  return html`<${PanelFrame} desk=${desk} title=${t("monitor.leave.title")} look="leave">
    <p>${t("monitor.leave.calls", { n: live })}</p>
    <div class="buttons">
      <button type="button" class="end" onClick=${() => desk.session.signOff()}>${t("console.leave")}</button>
    </div>
  <//>`;
}
