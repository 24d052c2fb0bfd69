// @ts-check
/** The worker that finds faces, as the page sees it: started once, asked for one picture at a time, or not available. */

import { FACE_LOOK, placeOf } from "../lib/faces.js";

/** @typedef {"load" | "start" | "stopped"} Why */
/** @typedef {import("../faces/worker.js").Answer} Answer */

const START_MS = 120_000; // two megabytes over a slow line
const ANSWER_MS = 30_000;

/** The worker cannot be had: nothing may be said of faces. */
export class Unavailable extends Error {
  /** @param {Why} why */
  constructor(why) {
    super(`no faces can be counted: ${why}`);
    this.why = why;
  }
}

export class FaceWorker {
  constructor() {
    this.worker = new Worker(/** @type {URL} */ (address()), { type: "module" });
    this.canvas = new OffscreenCanvas(FACE_LOOK.width, FACE_LOOK.height);
    this.pen = this.canvas.getContext("2d");
    /** @type {(reason: Unavailable) => void} */
    this.giveUp = () => {};
  }

  /** Wait until the model is there. @throws {Unavailable} */
  async ready() {
    await this.answer(START_MS, "load");
  }

  /**
   * @param {HTMLVideoElement | OffscreenCanvas} picture
   * @returns {Promise<{ scores: number[], ms: number }>} How sure the model is of each face, 0 to 1, and how long it took.
   * @throws {Unavailable}
   */
  async look(picture) {
    if (!this.pen) throw new Unavailable("start");
    const [width, height] = "videoWidth" in picture ? [picture.videoWidth, picture.videoHeight] : [picture.width, picture.height];
    const place = placeOf(width, height);
    this.pen.drawImage(picture, place.left, place.top, place.width, place.height);
    const bitmap = this.canvas.transferToImageBitmap();
    const answered = this.answer(ANSWER_MS, "stopped");
    this.worker.postMessage(bitmap, [bitmap]);
    const answer = await answered;
    if (answer.type !== "found") throw new Unavailable("stopped");
    return { scores: answer.scores, ms: answer.ms };
  }

  stop() {
    this.worker.terminate();
    this.giveUp(new Unavailable("stopped"));
  }

  /**
   * @private
   * @param {number} patience
   * @param {Why} otherwise
   * @returns {Promise<Answer>}
   */
  answer(patience, otherwise) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.giveUp(new Unavailable(otherwise)), patience);
      this.giveUp = (reason) => {
        clearTimeout(late);
        reject(reason);
      };
      this.worker.onerror = (event) => {
        event.preventDefault();
        this.giveUp(new Unavailable(otherwise));
      };
      this.worker.onmessage = ({ data }) => {
        if (data.type === "failed") return this.giveUp(new Unavailable(data.why));
        clearTimeout(late);
        resolve(data);
      };
    });
  }
}

/** The one script that this page may start as a worker; Trusted Types ask for it to be named. @returns {unknown} */
function address() {
  const url = new URL("../faces/worker.js", import.meta.url).href;
  const types = /** @type {{ createPolicy(name: string, rules: object): { createScriptURL(url: string): unknown } } | undefined} */ (
    /** @type {any} */ (globalThis).trustedTypes
  );
  return types ? types.createPolicy("face-worker", { createScriptURL: () => url }).createScriptURL(url) : url;
}
