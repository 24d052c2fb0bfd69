// @ts-check
/** Which face a caller's page shows, from all that it knows. Pure: the same knowledge, the same face. */

/** @typedef {import("./protocol.js").VisitMessage} Visit */
/** @typedef {import("./signalling.js").State} LinkState */
/** @typedef {import("./peer.js").PeerState} PeerState */

/**
 * loading: nothing is known yet. closed: the link or the session is over, for the reason `code`. device: no camera or
 * microphone. reconnecting: a fault on this side, being mended. connecting: first media on the way.
 * @typedef {"loading" | "closed" | "waiting" | "notice" | "check" | "device" | "lobby" | "connecting" | "call"
 *   | "reconnecting" | "paused" | "ended"} Face
 */

/**
 * @typedef {object} Known
 * @property {LinkState} link The socket.
 * @property {boolean} linkGone Whether the socket has been away for longer than a moment.
 * @property {Visit | null} visit The broker's last word.
 * @property {"idle" | "opening" | "ready" | "failed"} media The camera and microphone.
 * @property {PeerState | "none"} peer
 * @property {boolean} wasConnected Whether media has come through in this visit.
 */

/**
 * @param {Known} known
 * @returns {Face}
 */
export function faceOf(known) {
  const { link, visit } = known;
  if (visit?.screen === "ended" && (visit.end || link !== "closed")) return "ended"; // whatever the socket does after
  if (link === "closed") return "closed"; // a link withdrawn ends this page, not the call: it has no `end`
  if (!visit) return link === "reconnecting" && known.linkGone ? "reconnecting" : "loading";
  if (known.linkGone) return "reconnecting"; // what the broker said last may no longer be true
  switch (visit.screen) {
    case "none":
      return "waiting";
    case "notice":
      return "notice";
    case "check":
      return "check";
    case "paused":
      return pausedFace(known);
    case "lobby":
      return known.media === "failed" ? "device" : "lobby";
    case "call":
      return callFace(known);
    case "ended":
      return "ended";
  }
}

/**
 * A pause for this page's own lost line is a fault that it mends itself; every other pause has a face of its own.
 * @param {Known} known
 * @returns {Face}
 */
function pausedFace(known) {
  if (known.media === "failed" && known.visit?.pause === "you") return "device";
  return known.visit?.pause === "you" ? "reconnecting" : "paused";
}

/**
 * @param {Known} known
 * @returns {Face}
 */
function callFace(known) {
  if (known.media === "failed") return "device";
  if (known.peer === "connected") return "call";
  return known.wasConnected ? "reconnecting" : "connecting";
}

/**
 * The one look of a pause: a decision of staff is plum, a fault is slate, a wait is neither (design README 11).
 * @param {Visit["pause"]} pause
 * @returns {"staff" | "fault" | "wait"}
 */
export function pauseLook(pause) {
  if (pause === "staff") return "staff";
  return pause === "no_officer" ? "wait" : "fault";
}
