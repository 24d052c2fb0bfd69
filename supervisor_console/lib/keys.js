// @ts-check
/** Which key does what, by what the page shows. Pure. */

/**
 * @typedef {object} Keyed
 * @property {string} key As `KeyboardEvent.key`.
 * @property {string} code As `KeyboardEvent.code`.
 * @property {boolean} shift
 * @property {boolean} other Whether Control, Alt or Meta is down: those keys belong to the browser.
 * @property {boolean} repeat
 */

/** @typedef {"none" | "reason" | "choose" | "identity" | "keys"} Panel What the panel asks for. */

/**
 * @typedef {{ type: "tile", number: number } | { type: "move", way: "left" | "right" | "up" | "down" }
 *   | { type: "choose", number: number } | { type: "page", step: 1 | -1 } | { type: "answer", letter: string }
 *   | { type: "focus" | "back" | "pause" | "undo" | "relabel" | "clear" | "warn" | "end" | "identity" | "sound" | "alert" | "keys" | "confirm" | "full" | "bookmark" | "note" | "attend" | "line" | "look" | "due" }
 * } Action
 */

/** @type {Record<string, Action["type"]>} */
const LETTERS = {
  p: "pause",
  u: "undo",
  t: "relabel",
  r: "clear",
  w: "warn",
  e: "end",
  i: "identity",
  s: "sound",
  a: "alert",
  f: "full",
  b: "bookmark",
  n: "note",
  h: "attend",
  l: "line",
  v: "look",
  g: "due",
};
/** As the broker draws them: no command has one of these. */
const CHECK_LETTERS = new Set("CDJKMOQXYZ");
const PAGES = /** @type {Record<string, 1 | -1>} */ ({ PageDown: 1, PageUp: -1 });
const ARROWS = /** @type {Record<string, "left" | "right" | "up" | "down">} */ ({
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
});

/**
 * @param {Keyed} pressed
 * @param {{ panel: Panel, letters: boolean, inField: boolean, onControl: boolean, onTile: boolean, pages?: number, scrolls?: boolean, checked?: boolean }} page
 *   `inField`: the keyboard is in a field that takes letters; `onControl`: on a button, which Enter presses itself;
 *   `onTile`: on a tile's own button; `pages`: how many the wall has now; `scrolls`: what the keyboard is on scrolls by itself; `letters`: whether keys of one letter or digit are on (WCAG 2.1.4).
 * @returns {Action | null}
 */
export function actionFor(pressed, page) {
  if (pressed.other || pressed.repeat) return null;
  if (pressed.key === "Escape") return { type: "back" };
  if (page.inField) return null;
  const way = page.scrolls ? undefined : ARROWS[pressed.key];
  if (way) return page.onTile || !page.onControl ? { type: "move", way } : null;
  const step = (page.pages ?? 1) > 1 && !page.scrolls ? PAGES[pressed.key] : undefined;
  if (step) return { type: "page", step };
  if (pressed.key === "Enter") return page.onControl ? null : { type: page.panel === "identity" || page.panel === "choose" ? "confirm" : "focus" };
  if (!page.letters) return null;
  if (pressed.key === "?") return { type: "keys" };
  const number = digit(pressed);
  if (number !== null) return digitAction(number, pressed.shift, page.panel);
  if (pressed.shift) return null;
  if (page.checked && CHECK_LETTERS.has(pressed.key.toUpperCase())) return { type: "answer", letter: pressed.key.toUpperCase() };
  const type = LETTERS[pressed.key.toLowerCase()];
  return type ? /** @type {Action} */ ({ type }) : null;
}

/**
 * @param {number} number
 * @param {boolean} shift
 * @param {Panel} panel
 * @returns {Action | null}
 */
function digitAction(number, shift, panel) {
  if (!shift && (panel === "reason" || panel === "choose")) return number ? { type: "choose", number } : null;
  if (shift) return number >= 1 && number <= 6 ? { type: "tile", number: number + 10 } : null;
  return { type: "tile", number: number || 10 };
}

/**
 * By the place of the key, so that Shift does not turn it into a sign.
 * @param {Keyed} pressed
 * @returns {number | null}
 */
function digit({ code, key }) {
  const place = /^(?:Digit|Numpad)(\d)$/.exec(code);
  if (place) return Number(place[1]);
  return /^\d$/.test(key) ? Number(key) : null;
}
