// @ts-check
/** The shapes of the state catalogue: decoration beside the word that says the same (NOTES-console 5). */

import { html } from "htm/preact";

/** @type {Record<string, unknown>} */
const SHAPES = {
  dot: html`<circle cx="12" cy="12" r="7" fill="currentColor" />`,
  ring: html`<circle cx="12" cy="12" r="7" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3 3" />`,
  hollow: html`<circle cx="12" cy="12" r="7" fill="none" stroke="currentColor" stroke-width="2" />`,
  octagon: html`<path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z" fill="currentColor" /><path class="cut" d="M9 7.5v9M15 7.5v9" stroke-width="3" />`,
  hexagon: html`<path d="M7 3h10l5 9-5 9H7l-5-9z" fill="currentColor" /><circle class="cut-fill" cx="12" cy="12" r="3.6" />`,
  eye: html`<path d="M2 12s4-6.5 10-6.5S22 12 22 12s-4 6.5-10 6.5S2 12 2 12z" fill="none" stroke="currentColor" stroke-width="2" /><circle cx="12" cy="12" r="3" fill="currentColor" />`,
  unwatched: html`<path d="M2 12s4-6.5 10-6.5S22 12 22 12s-4 6.5-10 6.5S2 12 2 12z" fill="none" stroke="currentColor" stroke-width="2" /><path d="M4 21 20 3" stroke="currentColor" stroke-width="3" />`,
  link: html`<path d="M9 7H7a5 5 0 0 0 0 10h2M15 7h2a5 5 0 0 1 0 10h-2M12 3v3M12 18v3" fill="none" stroke="currentColor" stroke-width="2.4" />`,
  weak: html`<path d="M12 3 22 21H2z" fill="currentColor" /><path class="cut" d="M12 10v5M12 17v1.6" stroke-width="2.4" />`,
  sound: html`<path d="M3 9h4l6-5v16l-6-5H3z" fill="currentColor" /><path d="M16 8a6 6 0 0 1 0 8M18.5 5a10 10 0 0 1 0 14" fill="none" stroke="currentColor" stroke-width="2" />`,
  clock: html`<circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="2" /><path d="M12 7v5l3 2" fill="none" stroke="currentColor" stroke-width="2" />`,
  tick: html`<circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="2" /><path d="m7.5 12 3 3 6-6" fill="none" stroke="currentColor" stroke-width="2.4" />`,
  cross: html`<path d="M4 4h16v16H4z" fill="none" stroke="currentColor" stroke-width="2" /><path d="m8 8 8 8M16 8l-8 8" stroke="currentColor" stroke-width="2.4" />`,
  person: html`<circle cx="12" cy="7" r="4" fill="currentColor" /><path d="M4 21c0-5 3.5-8 8-8s8 3 8 8z" fill="currentColor" />`,
  hand: html`<path d="M7 12V6a1.5 1.5 0 0 1 3 0V4a1.5 1.5 0 0 1 3 0v1a1.5 1.5 0 0 1 3 0v2a1.5 1.5 0 0 1 3 0v7a7 7 0 0 1-7 7c-3 0-4.600-1-6-4l-2.500-4c1-1.500 2.500-1.300 3.500 0z" fill="currentColor" />`,
  stop: html`<path d="M5 5h14v14H5z" fill="currentColor" />`,
  say: html`<path d="M3 4h18v12H11l-5 5v-5H3z" fill="currentColor" /><path class="cut" d="M12 6.500v4M12 12v1.600" stroke-width="2.200" />`,
  lock: html`<path d="M5 11h14v10H5z" fill="currentColor" /><path d="M8 11V8a4 4 0 0 1 8 0v3" fill="none" stroke="currentColor" stroke-width="2.400" />`,
  undo: html`<path d="M9 6 4 11l5 5M5 11h9a5 5 0 0 1 0 10h-2" fill="none" stroke="currentColor" stroke-width="2.400" />`,
  note: html`<path d="M5 3h14v18H5z" fill="none" stroke="currentColor" stroke-width="2" /><path d="M8 8h8M8 12h8M8 16h5" stroke="currentColor" stroke-width="2" />`,
  bookmark: html`<path d="M6 3h12v18l-6-5-6 5z" fill="currentColor" />`,
  flag: html`<path d="M5 2v20" stroke="currentColor" stroke-width="2.4" /><path d="M6 4h13l-3 4 3 4H6z" fill="currentColor" />`,
  bell: html`<path d="M12 3a6 6 0 0 0-6 6v5l-2 3h16l-2-3V9a6 6 0 0 0-6-6z" fill="currentColor" /><path d="M9.500 19a2.500 2.500 0 0 0 5 0z" fill="currentColor" />`,
  dash: html`<path d="M4 12h16" stroke="currentColor" stroke-width="3" stroke-dasharray="4 3" />`,
};

/**
 * @param {string} name
 * @returns {unknown} Says nothing to a screen reader: the word beside it does.
 */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">${SHAPES[name] ?? null}</svg>`;
}

/**
 * Signal bars, filled as the link does: a shape beside the word.
 * @param {"good" | "poor" | "bad" | "none"} health
 */
export function bars(health) {
  const filled = { good: 4, poor: 2, bad: 1, none: 0 }[health] ?? 0;
  return html`<svg class="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" focusable="false">
    ${[0, 1, 2, 3].map(
      (at) =>
        html`<rect x=${2 + at * 5.5} y=${17 - at * 4} width="4" height=${4 + at * 4} fill=${at < filled ? "currentColor" : "none"} stroke="currentColor" />`,
    )}
  </svg>`;
}
