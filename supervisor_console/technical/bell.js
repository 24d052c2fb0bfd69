// @ts-check
/** The bell of the hall: two tones a second, loud, until it is stopped. Sound needs one press on the page; signing on was it. */

const EVERY_MS = 1000;
const TONES_HZ = [880, 660];
const TONE_S = 0.35;

/** @returns {() => void} Stop ringing. */
export function ring() {
  const sound = new AudioContext();
  void sound.resume();
  const strike = () => {
    TONES_HZ.forEach((hertz, at) => {
      const from = sound.currentTime + at * TONE_S;
      const tone = new OscillatorNode(sound, { type: "square", frequency: hertz });
      const gain = new GainNode(sound, { gain: 0.4 });
      tone.connect(gain).connect(sound.destination);
      tone.start(from);
      tone.stop(from + TONE_S);
    });
  };
  strike();
  const timer = setInterval(strike, EVERY_MS);
  return () => {
    clearInterval(timer);
    void sound.close();
  };
}
