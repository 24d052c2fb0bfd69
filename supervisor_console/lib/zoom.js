// @ts-check
/** How far the page is zoomed: what a picture's CSS pixels are worth on the glass. */

const MOST = 5; // Chromium's limit
const LEAST = 0.25;

/**
 * The page's zoom, 2 at 200 %. A window's outer width is not zoomed and its inner one is; what else narrows the inner one
 * (a side panel) must not pass for zoom, so the pixel ratio, which zoom multiplies, is a limit.
 * @param {{ outerWidth: number, innerWidth: number, devicePixelRatio: number }} view
 * @returns {number}
 */
export function zoomOf({ outerWidth, innerWidth, devicePixelRatio }) {
  if (!outerWidth || !innerWidth) return 1;
  const zoom = Math.min(outerWidth / innerWidth, devicePixelRatio);
  return Math.min(MOST, Math.max(LEAST, zoom));
}
