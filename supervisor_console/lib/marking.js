// @ts-check
/** What frames every staff page: the OFFICIAL marking, the posts as they are staffed, refusals, the end of the session. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { isTraining } from "../../web/lib/config.js";
import { has, t } from "../../web/lib/text.js";
import { postKey } from "./board.js";
import { icon } from "./icons.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("../../web/lib/protocol.js").PostPart} PostPart */

/** Stands at the top and at the foot of every staff page. @param {{ where: "top" | "foot", note?: string }} props */
export function Official({ where, note }) {
  return html`<section class="official" aria-label=${t(`console.marking.${where}`)}>
    <span class="official-service">${t("console.service")}</span>
    <span class="official-mark"><strong>${t("console.official")}</strong>${isTraining() ? html`<strong class="training">${t("page.training")}</strong>` : null}</span>
    <span class="official-note">${note ?? ""}</span>
  </section>`;
}

/**
 * How a post is staffed, in a word, a shape and a colour.
 * @param {{ session: Session, label: string, post: PostPart | undefined, mine: boolean, where?: string, needed?: boolean }} props
 *   `needed`: whether a call needs the post now; an empty post that nothing needs is no alarm.
 */
export function PostState({ session, label, post, mine, where, needed = true }) {
  const stale = session.stale.value;
  const state = stale ? "unsure" : mine ? "you" : (post?.state ?? "off");
  const lostAt = post && state === "lost" ? session.board.value.lostAt.get(postKey(post)) : undefined;
  const since = lostAt === undefined ? null : Math.max(0, Math.floor((session.beat.value - lostAt) / 1000));
  const look = { you: "good", on: "good", lost: "bad", off: needed ? "bad" : "plain", unsure: "unsure" }[state];
  const shape = { you: "dot", on: "dot", lost: "link", off: "hollow", unsure: "ring" }[state];
  return html`<div class="post post-${look}" data-post-state=${state}>
    ${icon(shape ?? "ring")}
    <div>
      <p class="post-state">${t(`console.post.${state}`, { post: label })}</p>
      <p class="post-who">
        ${[since !== null ? t("console.post.lost_for", { n: since }) : post?.name, where].filter(Boolean).join(" · ")}
      </p>
    </div>
  </div>`;
}

/**
 * The last refusal, said once and kept until it is read.
 * @param {{ session: Session }} props
 */
export function Refusal({ session }) {
  const refusal = session.refusal.value;
  return html`<div class="refusal-place" role="alert">
    ${refusal &&
    html`<div class="refusal" key=${refusal.id}>
      ${icon("cross")}
      <p><strong>${t("console.refused")}</strong> ${refusalWords(refusal.code)}</p>
      <button type="button" class="plain" onClick=${() => (session.refusal.value = null)}>${t("console.close")}</button>
    </div>`}
  </div>`;
}

/**
 * @param {string} code
 * @returns {string}
 */
export function refusalWords(code) {
  return has(`refused.${code}`) ? t(`refused.${code}`) : t("console.refused.other");
}

/**
 * The page is over: signed in elsewhere, signed out, or the service stopped.
 * @param {{ session: Session }} props
 */
export function Over({ session }) {
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => heading.current?.focus(), []);
  const code = session.bye.value ?? "shutdown";
  return html`<main class="sheet" id="main">
    <h1 tabindex="-1" ref=${heading}>${t("console.over.title")}</h1>
    <p>${has(`bye.${code}`) ? t(`bye.${code}`) : t("console.over.other")}</p>
    <p><button type="button" class="primary" onClick=${() => location.reload()}>${t("console.over.again")}</button></p>
  </main>`;
}

/**
 * One polite live region for what changed: never for what ticks.
 * @param {{ words: string }} props
 */
export function Announcer({ words }) {
  return html`<p class="hidden-words" role="status" aria-live="polite">${words}</p>`;
}
