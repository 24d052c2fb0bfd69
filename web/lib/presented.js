// @ts-check
/** When words on the page have been presented: the page visible, the words in view, and a frame painted since. */

const IN_VIEW = 0.95; // of the element; below it a line may be cut off

/**
 * @typedef {object} Page What is asked of the browser; tests bring their own.
 * @property {() => boolean} isVisible
 * @property {(changed: () => void) => () => void} onVisible Call when the page is shown or hidden; returns how to stop.
 * @property {(element: Element, seen: (ratio: number) => void) => () => void} watch How much of an element is in view.
 * @property {(done: () => void) => () => void} frame Call before the next frame is painted; returns how to stop.
 */

/** @type {Page} */
const REAL = {
  isVisible: () => document.visibilityState === "visible",
  onVisible(changed) {
    document.addEventListener("visibilitychange", changed);
    return () => document.removeEventListener("visibilitychange", changed);
  },
  watch(element, seen) {
    const observer = new IntersectionObserver((entries) => seen(entries.at(-1)?.intersectionRatio ?? 0), { threshold: [0, IN_VIEW, 1] });
    observer.observe(element);
    return () => observer.disconnect();
  },
  frame(done) {
    const asked = requestAnimationFrame(() => done());
    return () => cancelAnimationFrame(asked);
  },
};

/**
 * Call `run` once, as soon as `element` has been presented. Being hidden or out of view in between begins it anew.
 * @param {Element} element
 * @param {() => void} run
 * @param {Page} [page]
 * @returns {() => void} Stop waiting.
 */
export function whenPresented(element, run, page = REAL) {
  let ratio = 0;
  let stopFrame = () => {};
  const stops = [page.watch(element, seen), page.onVisible(look)];
  const stop = () => {
    stopFrame();
    for (const each of stops) each();
  };
  /** @param {number} now */
  function seen(now) {
    ratio = now;
    look();
  }
  function look() {
    stopFrame();
    if (!page.isVisible() || ratio < IN_VIEW) return;
    // Before the second frame the one with the words has been painted.
    stopFrame = page.frame(() => {
      stopFrame = page.frame(() => {
        stop();
        run();
      });
    });
  }
  return stop;
}
