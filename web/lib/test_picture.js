// @ts-check
/** A moving test picture and a tone, for the demo on a machine without camera or microphone. Both say what they are. */

import { t } from "./text.js";

const WIDTH = 320;
const HEIGHT = 240;
const FPS = 15;
const TONE_MS = 600;

/**
 * @param {string} label Tells one end from another; its letters also choose the colour and the pitch.
 * @returns {MediaStreamTrack}
 */
export function openTestPicture(label) {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let frame = 0;
  const draw = () => {
    paint(pen, label, frame);
    frame += 1;
  };
  draw();
  const timer = setInterval(draw, 1000 / FPS);
  const [track] = canvas.captureStream(FPS).getVideoTracks();
  return stopping(/** @type {MediaStreamTrack} */ (track), () => clearInterval(timer));
}

/**
 * @param {string} label
 * @returns {MediaStreamTrack}
 */
export function openTestTone(label) {
  const context = new AudioContext();
  const voice = context.createOscillator();
  const loudness = context.createGain();
  const out = context.createMediaStreamDestination();
  voice.frequency.value = 220 + (seed(label) % 5) * 55;
  loudness.gain.value = 0;
  voice.connect(loudness).connect(out);
  voice.start();
  let on = false;
  const timer = setInterval(() => {
    on = !on;
    loudness.gain.setTargetAtTime(on ? 0.12 : 0, context.currentTime, 0.05);
  }, TONE_MS);
  const wake = () => void context.resume();
  document.addEventListener("pointerdown", wake);
  document.addEventListener("keydown", wake);
  const [track] = out.stream.getAudioTracks();
  return stopping(/** @type {MediaStreamTrack} */ (track), () => {
    clearInterval(timer);
    document.removeEventListener("pointerdown", wake);
    document.removeEventListener("keydown", wake);
    void context.close();
  });
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {string} label
 * @param {number} frame
 */
function paint(pen, label, frame) {
  const hue = seed(label) % 360;
  pen.fillStyle = `hsl(${hue} 45% 26%)`;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  const angle = (frame / FPS) * 1.6;
  pen.fillStyle = `hsl(${hue} 60% 62%)`;
  pen.beginPath();
  pen.arc(WIDTH / 2 + 95 * Math.cos(angle), 92 + 46 * Math.sin(angle), 26, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.textAlign = "center";
  pen.font = "bold 26px Arial, sans-serif";
  pen.fillText(t("common.test_picture"), WIDTH / 2, 178);
  pen.font = "20px Arial, sans-serif";
  pen.fillText(`${label}  ${Math.floor(frame / FPS)}`, WIDTH / 2, 210);
}

/**
 * Run `after` when the track is stopped by its owner; browsers fire no event for that.
 * @param {MediaStreamTrack} track
 * @param {() => void} after
 */
function stopping(track, after) {
  const stop = track.stop.bind(track);
  track.stop = () => {
    stop();
    after();
  };
  return track;
}

/** @param {string} label */
function seed(label) {
  let sum = 7;
  for (const letter of label) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  return sum;
}
