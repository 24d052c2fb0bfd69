// @ts-check
/** The camera and the microphone: opened with a limit, and each way of failing by its name. */

import { isDemo } from "./config.js";
import { openTestPicture, openTestTone } from "./test_picture.js";

/**
 * blocked: the person or the system said no. none: there is no such device. busy: another program holds it.
 * timeout: the browser never answered (the browsers inside other apps). unsupported: no WebRTC here.
 * @typedef {"blocked" | "none" | "busy" | "timeout" | "unsupported"} ProblemCode
 */

/** @typedef {"ok" | "test_picture"} CameraKind */
/** @typedef {"ok" | "test_tone"} MicrophoneKind */
/** @typedef {{ camera?: string, microphone?: string }} Choice Device ids as the browser gives them. */

const LIMIT_MS = 8000; // ecosystem.md 3(a): in some apps the promise never settles
const PROMPT_LIMIT_MS = 120_000; // while the browser may be asking the person

/** @type {MediaTrackConstraints} */
const PICTURE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 15, max: 30 }, facingMode: "user" };
/** @type {MediaTrackConstraints} */
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** The devices could not be opened. */
export class DeviceProblem extends Error {
  /**
   * @param {ProblemCode} code
   * @param {"camera" | "microphone" | "both"} [which]
   */
  constructor(code, which = "both") {
    super(code);
    this.code = code;
    this.which = which;
  }
}

/** What this page sends: one picture and one sound. */
export class Local {
  /**
   * @param {MediaStreamTrack} video
   * @param {MediaStreamTrack} audio
   * @param {CameraKind} camera
   * @param {MicrophoneKind} microphone
   */
  constructor(video, audio, camera, microphone) {
    this.video = video;
    this.audio = audio;
    this.camera = camera;
    this.microphone = microphone;
    this.stream = new MediaStream([video, audio]);
  }

  stop() {
    for (const track of this.stream.getTracks()) track.stop();
  }
}

/** @returns {boolean} Whether this browser can hold a call at all (features F8). */
export function isSupported() {
  return typeof RTCPeerConnection === "function" && typeof navigator.mediaDevices?.getUserMedia === "function";
}

/**
 * Open the camera and the microphone. In the demo a test picture and tone stand in for what is not there.
 * @param {Choice} [choice]
 * @param {string} [label] What the test picture says, to tell one end from another.
 * @returns {Promise<Local>}
 * @throws {DeviceProblem}
 */
export async function openDevices(choice = {}, label = "") {
  if (!isSupported()) throw new DeviceProblem("unsupported");
  const video = { ...PICTURE, ...(choice.camera ? { deviceId: { exact: choice.camera } } : {}) };
  const audio = { ...SOUND, ...(choice.microphone ? { deviceId: { exact: choice.microphone } } : {}) };
  try {
    const stream = await ask({ video, audio });
    return new Local(only(stream.getVideoTracks()), only(stream.getAudioTracks()), "ok", "ok");
  } catch (reason) {
    const code = problemOf(reason);
    if (code === "overconstrained") return openDevices({}, label); // the chosen device has gone
    if (code !== "none") throw new DeviceProblem(code, await whichOf(code));
    if (!isDemo()) throw new DeviceProblem("none", await whichOf("none"));
    return openWithStandIns(video, audio, label);
  }
}

/**
 * Open what the demo can do without any device.
 * @param {string} label
 * @returns {Local}
 */
export function openStandIns(label) {
  return new Local(openTestPicture(label), openTestTone(label), "test_picture", "test_tone");
}

/**
 * @param {MediaTrackConstraints} video
 * @param {MediaTrackConstraints} audio
 * @param {string} label
 */
async function openWithStandIns(video, audio, label) {
  const camera = await ask({ video }).catch(() => null);
  const microphone = await ask({ audio }).catch(() => null);
  return new Local(
    camera ? only(camera.getVideoTracks()) : openTestPicture(label),
    microphone ? only(microphone.getAudioTracks()) : openTestTone(label),
    camera ? "ok" : "test_picture",
    microphone ? "ok" : "test_tone",
  );
}

/**
 * Cameras and microphones to choose from; names are known only after permission was given.
 * @returns {Promise<{ cameras: MediaDeviceInfo[], microphones: MediaDeviceInfo[] }>}
 */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const named = all.filter((device) => device.deviceId && device.label);
  return {
    cameras: named.filter((device) => device.kind === "videoinput"),
    microphones: named.filter((device) => device.kind === "audioinput"),
  };
}

/**
 * Ask the browser, with a limit; a stream that comes too late is let go.
 * @param {MediaStreamConstraints} constraints
 * @returns {Promise<MediaStream>}
 */
async function ask(constraints) {
  const limit = (await mayPrompt()) ? PROMPT_LIMIT_MS : LIMIT_MS;
  const request = navigator.mediaDevices.getUserMedia(constraints);
  /** @type {any} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      request.then((stream) => stream.getTracks().forEach((track) => track.stop())).catch(() => undefined);
      reject(new DeviceProblem("timeout"));
    }, limit);
  });
  try {
    return /** @type {MediaStream} */ (await Promise.race([request, late]));
  } finally {
    clearTimeout(timer);
  }
}

/** Say whether the browser is going to ask the person, who may take their time. */
async function mayPrompt() {
  try {
    const state = await navigator.permissions.query({ name: /** @type {any} */ ("camera") });
    return state.state === "prompt";
  } catch {
    return false; // a browser that cannot tell: the short limit, and the page's words cover both
  }
}

/**
 * @param {unknown} reason
 * @returns {ProblemCode | "overconstrained"}
 */
function problemOf(reason) {
  if (reason instanceof DeviceProblem) return reason.code;
  const name = reason instanceof Error || reason instanceof DOMException ? reason.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "blocked";
  if (name === "NotFoundError") return "none";
  if (name === "OverconstrainedError") return "overconstrained";
  return "busy"; // NotReadableError, AbortError: held by something else, or the driver said no
}

/**
 * @param {ProblemCode} code
 * @returns {Promise<"camera" | "microphone" | "both">}
 */
async function whichOf(code) {
  if (code !== "none") return "both";
  const all = (await navigator.mediaDevices.enumerateDevices().catch(() => [])) ?? [];
  const camera = all.some((device) => device.kind === "videoinput");
  const microphone = all.some((device) => device.kind === "audioinput");
  if (camera === microphone) return "both";
  return camera ? "microphone" : "camera";
}

/**
 * @param {MediaStreamTrack[]} tracks
 * @returns {MediaStreamTrack}
 */
function only(tracks) {
  const [track] = tracks;
  if (!track) throw new DeviceProblem("none");
  return track;
}
