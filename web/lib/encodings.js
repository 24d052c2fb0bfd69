// @ts-check
/** In how many sizes a picture is sent (simulcast), and with which codecs. Each who watches is passed one size. */

/** @typedef {"VP8" | "H264"} VideoCodec */
/** @typedef {"audio" | "video"} Kind */
/** @typedef {{ width?: number, height?: number }} Size In pixels; a browser may not know them yet. */

/**
 * By the number of encodings, lowest first, as the relay reads them. The sums stay below what the relay asks for at
 * most; low alone is what a wall shows, and all that a shared prison line carries for many laptops at once: a browser
 * that is short of bits drops the highest first, so the caps above cost a full line nothing.
 * @type {Readonly<Record<1 | 2 | 3, RTCRtpEncodingParameters[]>>}
 */
const LADDERS = {
  1: [{ maxBitrate: 700_000 }],
  2: [
    { rid: "l", scaleResolutionDownBy: 2, maxBitrate: 150_000 },
    { rid: "h", scaleResolutionDownBy: 1, maxBitrate: 700_000 },
  ],
  3: [
    { rid: "l", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
    { rid: "m", scaleResolutionDownBy: 2, maxBitrate: 400_000 },
    { rid: "h", scaleResolutionDownBy: 1, maxBitrate: 1_000_000 },
  ],
};

const FEW_CORES = 2;
const THREE_FROM = { width: 960, height: 540 }; // libwebrtc sends no more from less, whatever is asked
const TWO_FROM = { width: 480, height: 270 };

/**
 * What to send a picture of this size in.
 * @param {Size} size
 * @param {number | undefined} cores Of the processor, as the browser says.
 * @returns {RTCRtpEncodingParameters[]}
 */
export function encodingsFor(size, cores) {
  if (!isAtLeast(size, TWO_FROM)) return copy(1);
  if (!isAtLeast(size, THREE_FROM) || (cores ?? FEW_CORES) <= FEW_CORES) return copy(2);
  return copy(3);
}

/**
 * @param {Size} size
 * @param {Required<Size>} least
 */
function isAtLeast({ width = 0, height = 0 }, least) {
  return Math.max(width, height) >= least.width && Math.min(width, height) >= least.height; // held upright too
}

/** @param {1 | 2 | 3} count */
function copy(count) {
  return LADDERS[count].map((encoding) => ({ ...encoding }));
}

/**
 * Add a line that sends `track` in these encodings, or in one where the browser takes no more.
 * @param {RTCPeerConnection} pc
 * @param {MediaStreamTrack} track
 * @param {MediaStream[]} streams
 * @param {RTCRtpEncodingParameters[]} encodings
 * @returns {Promise<RTCRtpTransceiver>}
 */
export async function addPicture(pc, track, streams, encodings) {
  const plain = { direction: /** @type {const} */ ("sendonly"), streams };
  let transceiver;
  try {
    transceiver = pc.addTransceiver(track, { ...plain, sendEncodings: encodings });
  } catch {
    transceiver = pc.addTransceiver(track, plain); // Safari before 16 refuses several by an error
  }
  const { sender } = transceiver;
  const parameters = sender.getParameters();
  if (parameters.encodings?.length !== encodings.length) {
    // Firefox before 110 reads no sendEncodings, and takes several here.
    await sender.setParameters({ ...parameters, encodings }).catch(() => settleForOne(sender));
  }
  return transceiver;
}

/**
 * Give a picture that goes out in one encoding its whole size: of several, what is left of a refusal is the lowest.
 * @param {RTCRtpSender} sender
 */
export async function settleForOne(sender) {
  const parameters = sender.getParameters();
  const [only, second] = parameters.encodings ?? [];
  if (!only || second) return;
  parameters.encodings = [{ ...only, scaleResolutionDownBy: 1, ...LADDERS[1][0] }];
  await sender.setParameters(parameters).catch(() => undefined); // then without a cap: the relay names one besides
}

/**
 * Begin the encoder of a picture anew. After black it stands at black's fine quality, and the first frames of a real
 * picture are some 200 kB: as much as a line carries in a second, so a picture that is back would stand again.
 * @param {RTCRtpSender} sender
 * @throws Where it does not go on: the picture is then off.
 */
export async function beginAfresh(sender) {
  if (!(await setActive(sender, false).then(() => true, () => false))) return;
  await setActive(sender, true);
}

/**
 * @param {RTCRtpSender} sender
 * @param {boolean} active
 */
async function setActive(sender, active) {
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) encoding.active = active;
  await sender.setParameters(parameters);
}

/**
 * Choose the codecs of a line: `video` first, and what else the relay carries where a line receives. Nothing more, or
 * an offer of 40 lines would be several times as long (wall.md 3).
 * @param {RTCRtpTransceiver} transceiver
 * @param {Kind} kind
 * @param {VideoCodec} video
 */
export function prefer(transceiver, kind, video) {
  if (!("setCodecPreferences" in transceiver)) return;
  const all = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const isReceiving = transceiver.direction === "recvonly";
  const chosen = kind === "audio" ? soundCodecs(all, isReceiving) : pictureCodecs(all, video, isReceiving);
  if (chosen.length) transceiver.setCodecPreferences(chosen);
}

/**
 * Plain Opus is sent; redundant Opus (RED, RFC 2198) is taken from who sends it. Sending it costs the sound's bits
 * twice, while Opus's own error correction stays within them and only what was lost is repeated (docs/decisions/0015).
 * @param {RTCRtpCodec[]} all
 * @param {boolean} isReceiving
 */
function soundCodecs(all, isReceiving) {
  const names = isReceiving ? ["audio/opus", "audio/red"] : ["audio/opus"];
  return all.filter((codec) => names.includes(codec.mimeType.toLowerCase()));
}

/**
 * Ask that lost sound be sent again: Chromium does so where its own offer says it, for which there is no API
 * (w3c/webrtc-extensions issue 119).
 * @param {string} sdp
 */
export function withSoundRepair(sdp) {
  return sdp.replace(/^(a=rtpmap:(\d+) opus\/48000\/2\r\n)(?!a=rtcp-fb:\2 nack\r\n)/gim, "$1a=rtcp-fb:$2 nack\r\n");
}

/**
 * @param {RTCRtpCodec[]} all
 * @param {VideoCodec} video
 * @param {boolean} isReceiving
 */
function pictureCodecs(all, video, isReceiving) {
  const vp8 = all.filter((codec) => isNamed(codec, "video/vp8"));
  const h264 = all.filter((codec) => isNamed(codec, "video/h264") && isBaseline(codec.sdpFmtpLine ?? ""));
  const [first, other] = video === "H264" && h264.length ? [h264, vp8] : [vp8, h264];
  const repair = all.filter((codec) => isNamed(codec, "video/rtx"));
  return first.length ? [...first, ...(isReceiving ? other : []), ...repair] : [];
}

/**
 * @param {RTCRtpCodec} codec
 * @param {string} name
 */
function isNamed(codec, name) {
  return codec.mimeType.toLowerCase() === name;
}

/** @param {string} parameters Of H264, as the relay takes it: constrained baseline, packetization mode 1 (RFC 6184). */
function isBaseline(parameters) {
  return /profile-level-id=42e0/i.test(parameters) && /packetization-mode=1/.test(parameters);
}
