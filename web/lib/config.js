// @ts-check
/** What the page's shell says of itself: which page, which language, whether this is the demo. */

/** @type {Record<string, unknown> | null} */
let held = null;

/** @returns {Record<string, unknown>} */
export function config() {
  if (held) return held;
  const shell = typeof document === "undefined" ? null : document.getElementById("config");
  held = shell?.textContent ? JSON.parse(shell.textContent) : {};
  return /** @type {Record<string, unknown>} */ (held);
}

/** @returns {boolean} Whether this is an exercise: every page says that these are no real calls. */
export function isTraining() {
  return config()["training"] === true;
}

/** @returns {boolean} Whether a test picture may stand in for a camera that is not there. */
export function isDemo() {
  return config()["demo"] === true;
}
