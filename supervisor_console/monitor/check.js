// @ts-check
/** An attention check for ears: it is said once when it rings, and a soft tone follows where it waits. */

import { useEffect } from "preact/hooks";

import { t } from "../../web/lib/text.js";

/** @typedef {import("./desk.js").Desk} Desk */

const TONE_HZ = 440;
const TONE_S = 0.4;
const QUIET = 0.05;
const EVERY_MS = 3000;

/** @param {Desk} desk */
export function useCheck(desk) {
  const { check, places } = desk.session.board.value;
  useEffect(() => {
    if (check) desk.say(t("monitor.check.rings", { place: (places.get(check.call_id) ?? 0) + 1, letter: check.letter }));
  }, [check?.check_id]);
  useEffect(() => {
    if (!check || check.stage === "ring") return undefined;
    const audio = new AudioContext();
    tone(audio);
    const timer = setInterval(() => tone(audio), EVERY_MS);
    return () => {
      clearInterval(timer);
      void audio.close();
    };
  }, [check?.check_id, check?.stage === "ring"]);
}

/** @param {AudioContext} audio */
function tone(audio) {
  const sound = audio.createOscillator();
  const level = audio.createGain();
  sound.frequency.value = TONE_HZ;
  level.gain.value = QUIET;
  sound.connect(level).connect(audio.destination);
  sound.start();
  sound.stop(audio.currentTime + TONE_S);
}
