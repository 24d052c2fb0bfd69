// @ts-check
/**
 * Finds faces in one picture at a time, off the page's thread. A picture comes, a list of scores goes back; nothing is
 * kept, nobody is told apart, and nothing leaves the page.
 */

import { Human } from "../../vendor/@vladmandic/human/dist/human.esm.js";

/** @typedef {{ type: "ready" } | { type: "failed", why: "start" } | { type: "found", scores: number[], ms: number }} Answer */

const OFF = { enabled: false };
const vendor = new URL("../../vendor/", import.meta.url).href;

const human = new Human({
  backend: "wasm",
  wasmPath: `${vendor}@tensorflow/tfjs-backend-wasm/dist/`,
  modelBasePath: `${vendor}@vladmandic/human/models/`,
  async: false,
  warmup: "none",
  cacheSensitivity: 0, // every picture is looked at, however like the last one
  debug: false,
  filter: OFF,
  gesture: OFF,
  body: OFF,
  hand: OFF,
  object: OFF,
  segmentation: OFF,
  face: {
    enabled: true,
    detector: { modelPath: "blazeface.json", rotation: false, maxDetected: 10, minConfidence: 0.2, iouThreshold: 0.3, skipFrames: 0, skipTime: 0, square: false },
    mesh: OFF,
    attention: OFF,
    iris: OFF,
    description: OFF,
    emotion: OFF,
    antispoof: OFF,
    liveness: OFF,
  },
});

/** @param {Answer} answer */
const say = (answer) => /** @type {{ postMessage(data: Answer): void }} */ (/** @type {unknown} */ (self)).postMessage(answer);

async function start() {
  await human.init();
  await human.load();
  // Another backend would take twenty times as long, and a model that is not there finds no face in any picture.
  const whole = human.tf.getBackend() === "wasm" && human.models.loaded().includes("blazeface");
  say(whole ? { type: "ready" } : { type: "failed", why: "start" });
}

/** @type {OffscreenCanvasRenderingContext2D | null} */
let pen = null;

/**
 * @param {ImageBitmap} bitmap
 * @returns {Promise<number[]>} How sure the model is of each face that it found, 0 to 1.
 */
async function look(bitmap) {
  const { width, height } = bitmap;
  if (pen?.canvas.width !== width || pen.canvas.height !== height) {
    pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  }
  if (!pen) throw new Error("no canvas");
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  const input = human.tf.tensor4d(coloursOf(pen.getImageData(0, 0, width, height).data), [1, height, width, 3]);
  try {
    const { face, error } = await human.detect(input);
    if (error) throw new Error(error);
    return face.map((one) => one.boxScore);
  } finally {
    input.dispose();
  }
}

/** @param {Uint8ClampedArray} pixels RGBA. @returns {Float32Array} RGB. */
function coloursOf(pixels) {
  const colours = new Float32Array((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4) {
    colours[to++] = pixels[from] ?? 0;
    colours[to++] = pixels[from + 1] ?? 0;
    colours[to++] = pixels[from + 2] ?? 0;
  }
  return colours;
}

self.onmessage = async ({ data }) => {
  const began = performance.now();
  try {
    const scores = await look(data);
    say({ type: "found", scores, ms: performance.now() - began });
  } catch {
    say({ type: "failed", why: "start" });
  }
};

// A model without its weights fails in promises of the package's own, that nobody waits for.
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  say({ type: "failed", why: "start" });
});

start().catch(() => say({ type: "failed", why: "start" }));
