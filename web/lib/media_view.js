// @ts-check
/** Pictures and sounds on the page. An element that goes takes its last frame with it. */

import { html, useLayoutEffect, useRef, useState } from "./ui.js";

/**
 * A picture. It stays blank until its first new frame, and nothing of it remains once it is gone.
 * @param {{ track: MediaStreamTrack | null, mirrored?: boolean, label: string, class?: string, onFrame?: () => void }} props
 */
export function Picture({ track, mirrored = false, label, class: className = "", onFrame }) {
  const element = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const [shown, setShown] = useState(false);
  // A layout effect: its clean-up runs as the element goes, not after the next paint.
  useLayoutEffect(() => {
    const video = element.current;
    if (!video || !track) return undefined;
    setShown(false);
    video.srcObject = new MediaStream([track]);
    const first = () => {
      setShown(true);
      onFrame?.();
    };
    const frame = "requestVideoFrameCallback" in video ? video.requestVideoFrameCallback(first) : 0;
    if (!frame) video.onplaying = first;
    keepPlaying(video);
    return () => {
      if (frame) video.cancelVideoFrameCallback(frame);
      video.onplaying = video.onpause = null;
      video.srcObject = null;
    };
  }, [track]);
  const classes = `picture ${mirrored ? "is-mirrored" : ""} ${shown ? "" : "is-blank"} ${className}`;
  return html`<video ref=${element} class=${classes} muted playsinline autoplay disablepictureinpicture aria-label=${label}></video>`;
}

/**
 * A sound. `onBlocked` tells that the browser wants a tap first, with a function that the tap must call.
 * @param {{ track: MediaStreamTrack, onBlocked: (play: () => void) => void }} props
 */
export function Sound({ track, onBlocked }) {
  const element = useRef(/** @type {HTMLAudioElement | null} */ (null));
  useLayoutEffect(() => {
    const audio = element.current;
    if (!audio) return undefined;
    audio.srcObject = new MediaStream([track]);
    const play = () =>
      audio.play().catch((reason) => {
        if (reason?.name === "NotAllowedError") onBlocked(() => void play());
      });
    audio.onpause = () => void play();
    void play();
    return () => {
      audio.onpause = null;
      audio.srcObject = null;
    };
  }, [track]);
  return html`<audio ref=${element} autoplay></audio>`;
}

/**
 * Phones pause a video when another app takes the sound (twilio-video#645): play on.
 * @param {HTMLVideoElement} video
 */
function keepPlaying(video) {
  const play = () => void video.play().catch(() => undefined);
  video.onpause = play;
  play();
}
