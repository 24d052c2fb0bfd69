// @ts-check
/** Walking past a privileged call that nobody looks at: asked for, and logged here. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { timeOfDay } from "../lib/clock.js";
import { icon } from "../lib/icons.js";

/** @param {{ hall: import("./hall.js").Hall, call: import("../../web/lib/protocol.js").CallPart }} props */
export function Patrol({ hall, call }) {
  const part = call.privileged;
  if (!part) return null;
  const log = async () => {
    const answer = await hall.session.act({ type: "patrol.log", call_id: call.id });
    if (answer?.type === "ok") hall.say(t("hall.patrol.said", { seat: call.seat }));
  };
  return html`<section class="card" aria-labelledby="patrol-title">
    <h3 id="patrol-title">${icon("lock")}${t("hall.privileged")}</h3>
    ${part.patrol
      ? html`<p class=${part.patrol_due_at ? "note" : ""}>
            ${t(`patrol.${part.patrol}`)}${" "}
            ${part.patrol_due_at
              ? t("hall.patrol.due", { time: timeOfDay(part.patrol_due_at) })
              : part.patrol_next_at && t("hall.patrol.next", { time: timeOfDay(part.patrol_next_at) })}
          </p>
          <button type="button" class="primary" onClick=${log}>${icon("tick")}${t("hall.patrol.log", { seat: call.seat })}</button>`
      : html`<p>${t("hall.privileged.looks", { n: part.looks })}</p>`}
  </section>`;
}
