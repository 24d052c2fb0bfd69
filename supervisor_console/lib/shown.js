// @ts-check
/** Measures, on the main thread, what each picture of the wall really does on the page (wall.md 4). */

import { zoomOf } from "./zoom.js";

/** @typedef {import("./proof.js").Sample} Sample */
/** @typedef {import("./proof.js").Place} Place */

/**
 * @typedef {object} Watched
 * @property {HTMLElement} element
 * @property {Place | null} line
 * @property {number | null} still
 * @property {number} frames
 * @property {number | null} rtpTimestamp
 * @property {number} presented Total minus dropped frames, at the last sample.
 * @property {number} ratio
 * @property {boolean} unobscured
 * @property {() => void} stop
 */

/** @typedef {IntersectionObserverEntry & { isVisible?: boolean }} EntryV2 */

const FULL = 0.95; // where the browser cannot tell what covers an element, its ratio answers for it
const VISIBILITY_DELAY_MS = 100; // the least that the browser allows with trackVisibility

export class ShownMeter {
  constructor() {
    /** @type {Map<string, Watched>} */
    this.legs = new Map();
    /** @type {IntersectionObserver} */
    this.observer = new IntersectionObserver(
      (entries) => this.observed(/** @type {EntryV2[]} */ (entries)),
      /** @type {IntersectionObserverInit} */ ({
        threshold: [0, 0.25, 0.5, 0.75, 0.9, FULL, 1],
        trackVisibility: true,
        delay: VISIBILITY_DELAY_MS,
      }),
    );
  }

  /**
   * From now on `element` is what shows the leg. One element may stand for several legs: a curtain does.
   * @param {string} legId
   * @param {HTMLElement} element A video, or the still or the placeholder in its stead.
   * @param {Place | null} line
   * @param {number | null} [still] The number of the still that `element` shows.
   * @returns {() => void} Call it when the element goes.
   */
  watch(legId, element, line, still = null) {
    this.legs.get(legId)?.stop();
    /** @type {Watched} */
    const watched = {
      element,
      line,
      still,
      frames: 0,
      rtpTimestamp: null,
      presented: 0,
      ratio: 0,
      unobscured: false,
      stop: () => {},
    };
    const stopCounting = element instanceof HTMLVideoElement ? countFrames(element, watched) : () => {};
    this.legs.set(legId, watched);
    this.observer.unobserve(element); // so that an element observed already reports again, for this leg too
    this.observer.observe(element);
    watched.stop = () => {
      stopCounting();
      if (this.legs.get(legId) === watched) this.legs.delete(legId);
      if (![...this.legs.values()].some((other) => other.element === element)) this.observer.unobserve(element);
    };
    return watched.stop;
  }

  /**
   * What happened since the last call: take it once a second, for all legs, and read the samples from the map.
   * @returns {Map<string, Sample>}
   */
  take() {
    return new Map([...this.legs].map(([legId, watched]) => [legId, sampled(watched)]));
  }

  /**
   * @private
   * @param {EntryV2[]} entries
   */
  observed(entries) {
    for (const entry of entries) {
      for (const watched of this.legs.values()) {
        if (watched.element !== entry.target) continue;
        watched.ratio = entry.intersectionRatio;
        watched.unobscured = entry.isVisible ?? entry.intersectionRatio >= FULL;
      }
    }
  }
}

/**
 * @param {Watched} watched
 * @returns {Sample}
 */
function sampled(watched) {
  const { element, line, still, frames, rtpTimestamp, ratio, unobscured } = watched;
  const presented = framesPresented(element);
  const advanced = presented > watched.presented;
  watched.presented = presented;
  watched.frames = 0;
  const zoom = zoomOf(window);
  return { line, still, frames, rtpTimestamp, advanced, ratio, unobscured, width: element.clientWidth * zoom, height: element.clientHeight * zoom };
}

/**
 * @param {HTMLElement} element
 * @returns {number}
 */
function framesPresented(element) {
  if (!(element instanceof HTMLVideoElement)) return 0;
  const quality = element.getVideoPlaybackQuality();
  return quality.totalVideoFrames - quality.droppedVideoFrames;
}

/**
 * Count callbacks: `presentedFrames` counts those of a hidden tab too, so it proves nothing (wall.md 4).
 * @param {HTMLVideoElement} video
 * @param {Watched} watched
 * @returns {() => void}
 */
function countFrames(video, watched) {
  watched.presented = framesPresented(video);
  return eachFrame(video, (frame) => {
    watched.frames += 1;
    watched.rtpTimestamp = frame.rtpTimestamp ?? watched.rtpTimestamp;
  });
}

/**
 * Call `onFrame` for each frame that the page presents.
 * @param {HTMLVideoElement} video
 * @param {(frame: VideoFrameCallbackMetadata) => void} onFrame
 * @returns {() => void} Stops it.
 */
export function eachFrame(video, onFrame) {
  if (!("requestVideoFrameCallback" in video)) return () => {};
  let handle = 0;
  /** @type {VideoFrameRequestCallback} */
  const presented = (_now, frame) => {
    handle = video.requestVideoFrameCallback(presented);
    onFrame(frame);
  };
  handle = video.requestVideoFrameCallback(presented);
  return () => video.cancelVideoFrameCallback(handle);
}
