// @ts-check
/** How loud a sound is, for the bar that moves when a person speaks. */

const EVERY_MS = 100;
const FLOOR_DB = -60; // below: silence

/**
 * Tell the loudness of `track`, 0 to 1, ten times a second, until the returned function is called.
 * @param {MediaStreamTrack} track
 * @param {(level: number) => void} tell
 * @returns {() => void}
 */
export function watchLevel(track, tell) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const wake = () => void context.resume();
  document.addEventListener("pointerdown", wake);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    tell(loudness(samples));
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    document.removeEventListener("pointerdown", wake);
    void context.close();
  };
}

/**
 * @param {ArrayLike<number>} samples
 * @returns {number} 0 to 1 on a scale of decibels, as ears have it.
 */
export function loudness(samples) {
  let sum = 0;
  for (let at = 0; at < samples.length; at += 1) sum += (samples[at] ?? 0) ** 2;
  if (sum === 0) return 0;
  const db = 10 * Math.log10(sum / samples.length);
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}
