// @ts-check
/** Signs: 24 grid, round lines, always beside a word and hidden from screen readers. */

import { html } from "./ui.js";

/** @type {Record<string, any>} */
const SHAPES = {
  camera: html`<path d="M3 7.5A1.5 1.5 0 0 1 4.5 6h9A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 16.5z" /><path d="m15 10.5 6-3v9l-6-3" />`,
  camera_off: html`<path d="M3 3l18 18M15 12.2V7.5A1.5 1.5 0 0 0 13.5 6H9M15 15v1.5A1.5 1.5 0 0 1 13.5 18h-9A1.5 1.5 0 0 1 3 16.5v-9c0-.6.3-1.1.8-1.3M15 10.5l6-3v9l-3-1.5" />`,
  microphone: html`<rect x="9" y="3" width="6" height="11" rx="3" /><path d="M5 11.5a7 7 0 0 0 14 0M12 18.5V21" />`,
  microphone_off: html`<path d="M3 3l18 18M9 9v2a3 3 0 0 0 4.5 2.6M15 11V6a3 3 0 0 0-5.7-1.3M5 11.5a7 7 0 0 0 11 5.7M19 11.5a7 7 0 0 1-.4 2.3M12 18.5V21" />`,
  leave: html`<path d="M3 14.5c5-4.6 13-4.6 18 0l-2.2 2.6-3.6-1.3v-2.6a12 12 0 0 0-6.4 0v2.6l-3.6 1.3z" />`,
  settings: html`<path d="M4 8h9M19 8h1M4 16h1M11 16h9" /><circle cx="16" cy="8" r="2.5" /><circle cx="8" cy="16" r="2.5" />`,
  tick: html`<path class="thick" d="m5 12.5 4.5 4.5L19 7.5" />`,
  cross: html`<path d="M6 6l12 12M18 6 6 18" />`,
  clock: html`<circle cx="12" cy="12" r="9" /><path d="M12 7v5l3.5 2" />`,
  eye: html`<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" /><circle cx="12" cy="12" r="3" />`,
  ear: html`<path d="M7 9a5 5 0 0 1 10 0c0 3.5-3.5 4-3.5 7.5A2.8 2.8 0 0 1 9 18.7M10 9a2 2 0 0 1 4 0c0 1.6-2 1.6-2 3.5" />`,
  record: html`<circle cx="12" cy="12" r="9" /><circle cx="12" cy="12" r="2.5" />`,
  hourglass: html`<path d="M7 3h10M7 21h10M8 3v4l4 5 4-5V3M8 21v-4l4-5 4 5v4" />`,
  hand: html`<path d="M8 12V5.5a1.5 1.5 0 0 1 3 0V11M11 11V4.5a1.5 1.5 0 0 1 3 0V11M14 11V6a1.5 1.5 0 0 1 3 0v8a7 7 0 0 1-7 7c-3 0-4.5-1.5-6-4l-1.3-2.5a1.5 1.5 0 0 1 2.5-1.6L8 15.5" />`,
  pause: html`<path class="solid" d="M7 5h3.5v14H7zM13.5 5H17v14h-3.5z" />`,
  broken: html`<path d="M3 3l18 18M5 12.5a10 10 0 0 1 4-2.4M8.5 16a5 5 0 0 1 5.5-.9M2 9a15 15 0 0 1 4-2.6M11 5a15 15 0 0 1 11 4M15 10.5a10 10 0 0 1 4 2" /><circle class="solid" cx="12" cy="19" r="1.2" />`,
  person: html`<circle cx="12" cy="8" r="4" /><path d="M4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6" />`,
  again: html`<path d="M20 12a8 8 0 1 1-2.3-5.7M20 3v4h-4" />`,
  message: html`<path d="M4 5h16v11H9l-5 4z" />`,
  tool: html`<path d="M14.5 6.5a4 4 0 0 1 5-1l-3 3 1 2 2 1 2-2.5a4 4 0 0 1-5.5 4.5L8 21a2 2 0 0 1-3-3l7.5-8a4 4 0 0 1 2-3.5z" />`,
  speaker: html`<path d="M4 9.5h3.5L12 6v12l-4.5-3.5H4zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" />`,
};

/**
 * @param {{ name: string, size?: number }} props
 */
export function Icon({ name, size = 24 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    ${SHAPES[name] ?? null}
  </svg>`;
}
