// @ts-check
/** A refused sign-on: the rule, what it needs, what you hold, and a way out. */

import { html } from "htm/preact";

import { t } from "../../web/lib/text.js";
import { icon } from "./icons.js";
import { refusalWords } from "./marking.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("../../web/lib/protocol.js").CheckPart} Check */
/** @typedef {import("../../web/lib/protocol.js").RefusedMessage} Refused */

/** The ways on that a code has beside asking the duty governor. */
const WAYS = new Set(["grade_too_low", "other_post_held", "profile_holds_other_post", "shared_account", "guidance_changed", "not_granted"]);

/** @param {{ session: Session, refused: Refused, heading: import("preact").RefObject<HTMLHeadingElement>, onBack: () => void }} props */
export function RefusedSignOn({ session, refused, heading, onBack }) {
  return html`<main class="sheet" id="main">
    <div class="refused-box">
      ${icon("cross")}
      <div>
        <h1 tabindex="-1" ref=${heading}>${t(`console.sign_on.refused.${session.post}`)}</h1>
        <p>${refusalWords(refused.code)}</p>
      </div>
    </div>
    ${refused.checks.length ? html`<${Checks} session=${session} checks=${refused.checks} />` : null}
    <h2>${t("console.sign_on.ways")}</h2>
    <ul class="what">
      ${refused.code.startsWith("console_") && html`<li>${t("console.sign_on.way.console")}</li>`}
      ${WAYS.has(refused.code) && html`<li>${t(`console.sign_on.way.${refused.code}`)}</li>`}
      <li>${t("console.sign_on.what_now")}</li>
    </ul>
    <p>
      ${refused.code === "guidance_changed"
        ? html`<button type="button" class="primary" onClick=${() => location.reload()}>${t("console.over.again")}</button>`
        : html`<button type="button" class="primary" onClick=${onBack}>${t("console.sign_on.back")}</button>`}
    </p>
  </main>`;
}

/** @param {{ session: Session, checks: Check[] }} props */
function Checks({ session, checks }) {
  return html`<table class="sign-on-checks">
    <thead>
      <tr>
        <th scope="col">${t("console.check.name")}</th>
        <th scope="col">${t("console.check.needed")}</th>
        <th scope="col">${t("console.check.held")}</th>
        <th scope="col">${t("console.check.result")}</th>
      </tr>
    </thead>
    <tbody>
      ${checks
        .filter((check) => !check.met || check.name !== "one_hall")
        .map(
          (check) => html`<tr key=${check.name} data-met=${check.met}>
            <th scope="row">${t(`console.check.${check.name}`)}</th>
            <td>${neededWords(session, check)}</td>
            <td>${heldWords(session, check)}</td>
            <td>${icon(check.met ? "tick" : "cross")} ${t(check.met ? "console.check.met" : "console.check.not_met")}</td>
          </tr>`,
        )}
    </tbody>
  </table>`;
}

/** @param {Session} session @param {Check} check */
function neededWords(session, check) {
  if (check.name === "grade") return t("console.check.or_above", { grade: t(`grade.${check.needed}`) });
  if (check.name === "scope") return places(session, check.needed);
  if (check.name === "guidance") return check.needed ?? "";
  return t(`console.check.needs.${check.name}`);
}

/** @param {Session} session @param {Check} check */
function heldWords(session, check) {
  if (check.name === "grade") return t(`grade.${check.held}`);
  if (check.name === "scope") return check.held ? places(session, check.held) : t("console.check.none");
  if (check.name === "guidance") return check.held ?? t("console.check.none");
  if (check.name === "device" && check.held && !check.met) return t("console.check.is.device");
  if (check.name === "other_post" && check.held) return places(session, check.held);
  return t(check.met ? "console.check.fits" : `console.check.is.${check.name}`);
}

/** Names for codes where this page knows them. @param {Session} session @param {string | null} codes */
function places(session, codes) {
  const names = new Map(session.board.value.you?.may.map((may) => [may.establishment, may.name]));
  return (codes ?? "").split(" ").map((code) => names.get(code) ?? code).join(", ");
}
