// @ts-check
/** What a staff page knows: one value, made of the snapshot and the messages after it. Pure. */

import { withEntries } from "./record.js";
import { withAlert } from "./alerts.js";
import { NO_LOSSES, fromHistory, withNews } from "./losses.js";

/** @typedef {import("../../web/lib/protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("../../web/lib/protocol.js").CallPart} CallPart */
/** @typedef {import("../../web/lib/protocol.js").PostPart} PostPart */
/** @typedef {import("../../web/lib/protocol.js").SeatPart} SeatPart */
/** @typedef {import("../../web/lib/protocol.js").Relief} Relief */
/** @typedef {import("../../web/lib/protocol.js").StationPart} StationPart */
/** @typedef {import("../../web/lib/protocol.js").ConsolePart} ConsolePart */
/** @typedef {import("../../web/lib/protocol.js").LegHealth} LegHealth */
/** @typedef {import("../../web/lib/protocol.js").LinePart} LinePart */
/** @typedef {import("../../web/lib/protocol.js").AttentionPart} AttentionPart */
/** @typedef {import("../../web/lib/protocol.js").AttentionCheck} AttentionCheck */
/** @typedef {import("../../web/lib/protocol.js").LineWant} LineWant */
/** @typedef {import("../../web/lib/protocol.js").Alert} Alert */
/** @typedef {import("../../web/lib/protocol.js").WarningState} WarningState */
/** @typedef {import("../../web/lib/protocol.js").YouStaff} YouStaff */

/** @typedef {{ n: number, jpeg: string }} Still A JPEG in base64, and its number. */

/**
 * @typedef {object} Board
 * @property {YouStaff | null} you
 * @property {LineWant} receive How many homes to connect to, and how many lines each first offer has.
 * @property {PostPart | null} holds The post that this page holds.
 * @property {boolean} known Whether a snapshot came since the last welcome.
 * @property {ReadonlyMap<string, CallPart>} calls
 * @property {ReadonlyMap<string, number>} places Where each call stands on the wall, from 0. A call never moves by itself.
 * @property {ReadonlyMap<string, number>} endedAt When this page heard that a call ended, in ms of its own clock.
 * @property {ReadonlyMap<string, number>} toldAt When each call was last told, in ms since 1970 by the broker's clock.
 * @property {ReadonlyMap<string, StationPart>} stations By establishment: how the places stand where this person may sign on.
 * @property {ConsolePart | null} console What this browser is enrolled as, where a post wants that.
 * @property {Relief | null} relief Who could relieve this monitor, the offer in progress, the next break.
 * @property {ReadonlyMap<string, PostPart>} posts By `postKey`.
 * @property {ReadonlyMap<string, number>} lostAt When this page heard that a post was lost, by `postKey`, in ms of its own clock.
 * @property {ReadonlyMap<string, SeatPart>} seats
 * @property {ReadonlyMap<string, LegHealth>} health By leg id, as of the last news.
 * @property {Readonly<Record<string, number>>} proofAge Seconds, by call id, as of the last news.
 * @property {Readonly<Record<string, AttentionPart>>} attention How live calls stand to their limits, as of the last news.
 * @property {AttentionCheck | null} check The attention check that waits for an answer.
 * @property {readonly LinePart[]} lines
 * @property {ReadonlyMap<string, Still>} stills By leg: the newest still of one that has no line here.
 * @property {readonly Alert[]} alerts As each stands now, in the order in which they were raised.
 * @property {import("./losses.js").Losses} losses What the links of the call in focus lost.
 * @property {ReadonlyMap<string, WarningState>} warnings The last warning of each call.
 * @property {import("./record.js").Records} records What the posts recorded of each call.
 * @property {string | null} heard The broker's `now` in the newest message that told it: a proof is dated by it.
 * @property {number | null} heardAt When the last message came, in ms of this page's clock.
 */

const FIRST_PAGE = 16; // the most tiles that one page has
const ON_THE_WALL = new Set(["lobby", "ready", "live"]);

/** @type {Board} */
export const EMPTY = {
  you: null,
  receive: { audio: 0, video: 0, homes: 1 },
  holds: null,
  known: false,
  calls: new Map(),
  places: new Map(),
  endedAt: new Map(),
  toldAt: new Map(),
  stations: new Map(),
  console: null,
  relief: null,
  posts: new Map(),
  lostAt: new Map(),
  seats: new Map(),
  health: new Map(),
  proofAge: {},
  attention: {},
  check: null,
  lines: [],
  stills: new Map(),
  alerts: [],
  losses: NO_LOSSES,
  warnings: new Map(),
  records: new Map(),
  heard: null,
  heardAt: null,
};

/**
 * Return the board after `message`. A call older than the one held is dropped; what we do not know changes nothing.
 * @param {Board} board
 * @param {ServerMessage} message
 * @param {number} at When it came, in ms of this page's clock.
 * @returns {Board}
 */
export function applyMessage(board, message, at) {
  const heard = "now" in message ? message.now : board.heard;
  return { ...changed(board, message, at), heard, heardAt: at };
}

/**
 * @param {Board} board
 * @param {ServerMessage} message
 * @param {number} at
 * @returns {Board}
 */
function changed(board, message, at) {
  switch (message.type) {
    case "welcome":
      return { ...board, you: staff(message.you), receive: message.receive, holds: null, known: false, lines: [], check: null, stills: new Map() };
    case "snapshot":
      return applySnapshot(board, message, at);
    case "stations":
      return { ...board, stations: new Map(message.stations.map((one) => [one.establishment, one])), console: message.console };
    case "relief":
      return { ...board, relief: message };
    case "call":
      return applyCall(board, message, at);
    case "post":
      return applyPost(board, message.post, at);
    case "seat":
      return { ...board, seats: new Map(board.seats).set(message.seat.id, message.seat) };
    case "news":
      return {
        ...board,
        health: new Map(message.legs.map((leg) => [leg.leg_id, leg])),
        proofAge: message.proof_age_s, attention: message.attention,
        losses: withNews(board.losses, message),
      };
    case "media.lines":
      return { ...board, lines: message.lines };
    case "attention.check":
      return { ...board, check: message.stage === null ? null : message };
    case "still":
      return { ...board, stills: new Map(board.stills).set(message.leg_id, { n: message.n, jpeg: message.jpeg }) };
    case "alert":
      return { ...board, alerts: withAlert(board.alerts, message) };
    case "loss.history":
      return { ...board, losses: fromHistory(message) };
    case "call.record":
      return { ...board, records: withEntries(board.records, message) };
    case "warning.state":
      return { ...board, warnings: new Map(board.warnings).set(message.call_id, message) };
    default:
      return board; // a newer server may say more than we understand
  }
}

/**
 * Let go of calls that ended at least `after` ms ago, so that their places may be taken.
 * @param {Board} board
 * @param {number} now Milliseconds of this page's clock.
 * @param {number} after
 * @returns {Board}
 */
export function forgetEnded(board, now, after) {
  const gone = [...board.endedAt].filter(([, at]) => now - at >= after).map(([id]) => id);
  if (!gone.length) return board;
  const places = new Map(board.places);
  const endedAt = new Map(board.endedAt);
  for (const id of gone) {
    places.delete(id);
    endedAt.delete(id);
  }
  return { ...board, places, endedAt };
}

/**
 * Close the gaps between the tiles: only ever on a person's request.
 * @param {Board} board
 * @returns {Board}
 */
export function closeGaps(board) {
  const inOrder = [...board.places].sort((one, other) => one[1] - other[1]);
  return { ...board, places: new Map(inOrder.map(([id], place) => [id, place])) };
}

/**
 * @param {{ establishment: string, hall_id: string | null, post: string }} post
 * @returns {string}
 */
export function postKey({ establishment, hall_id, post }) {
  return `${post} ${establishment} ${hall_id ?? ""}`;
}

/**
 * Whether a call is one that the wall must present.
 * @param {CallPart} call
 * @returns {boolean}
 */
export function isOnWall(call) {
  return ON_THE_WALL.has(call.phase);
}

/**
 * @param {import("../../web/lib/protocol.js").Welcome["you"]} you
 * @returns {YouStaff | null}
 */
function staff(you) {
  return you.chair === "staff" ? you : null;
}

/**
 * @param {Board} board
 * @param {import("../../web/lib/protocol.js").Snapshot} message
 * @param {number} at
 * @returns {Board}
 */
function applySnapshot(board, message, at) {
  const posts = new Map(message.posts.map((post) => [postKey(post), post]));
  const calls = new Map(message.calls.map((call) => [call.id, newer(board.calls.get(call.id), call)]));
  return {
    ...board,
    records: new Map(), // all entries follow
    holds: message.you_hold,
    relief: message.you_hold ? board.relief : null,
    check: message.you_hold ? board.check : null,
    known: true,
    calls,
    ...placed(board, calls),
    toldAt: new Map(message.calls.map((call) => [call.id, Date.parse(message.now)])),
    posts,
    lostAt: new Map([...posts].filter(([, post]) => post.state === "lost").map(([key]) => [key, board.lostAt.get(key) ?? at])),
    seats: new Map(message.seats.map((seat) => [seat.id, seat])),
    alerts: message.alerts,
  };
}

/**
 * @param {Board} board
 * @param {import("../../web/lib/protocol.js").CallMessage} message
 * @param {number} at
 * @returns {Board}
 */
function applyCall(board, { call, now }, at) {
  const held = board.calls.get(call.id);
  if (held && held.seq >= call.seq) return board;
  const calls = new Map(board.calls).set(call.id, call);
  const endsNow = call.phase === "ended" && board.places.has(call.id) && !board.endedAt.has(call.id);
  const endedAt = endsNow ? new Map(board.endedAt).set(call.id, at) : board.endedAt;
  const toldAt = new Map(board.toldAt).set(call.id, Date.parse(now));
  return { ...board, calls, toldAt, ...placed({ ...board, endedAt }, calls) };
}

/**
 * @param {Board} board
 * @param {PostPart} post
 * @param {number} at
 * @returns {Board}
 */
function applyPost(board, post, at) {
  const key = postKey(post);
  const mine = board.holds !== null && postKey(board.holds) === key;
  const holds = post.you ? (board.holds !== null && !mine ? board.holds : post) : mine ? null : board.holds;
  const lostAt = new Map(board.lostAt);
  if (post.state !== "lost") lostAt.delete(key);
  else if (!lostAt.has(key)) lostAt.set(key, at);
  return { ...board, holds, lostAt, posts: new Map(board.posts).set(key, post) };
}

/**
 * @param {CallPart | undefined} held
 * @param {CallPart} call
 * @returns {CallPart}
 */
function newer(held, call) {
  return held && held.seq > call.seq ? held : call;
}

/**
 * Give every call of the wall a place: those that have one keep it, the others take the lowest free one in order of start.
 * @param {Board} board
 * @param {ReadonlyMap<string, CallPart>} calls
 * @returns {Pick<Board, "places" | "endedAt">}
 */
function placed(board, calls) {
  const places = new Map([...board.places].filter(([id]) => stays(board, calls.get(id))));
  const endedAt = new Map([...board.endedAt].filter(([id]) => places.has(id)));
  for (const id of newOnFirstPage(board, calls)) places.delete(id);
  const waiting = [...calls.values()].filter((call) => isOnWall(call) && !places.has(call.id)).sort(byStart);
  const taken = new Set(places.values());
  let free = 0;
  for (const call of waiting) {
    while (taken.has(free)) free += 1;
    places.set(call.id, free);
    taken.add(free);
  }
  return { places, endedAt };
}

/**
 * Calls of the highest tier that start now and stand beyond the first page: the one time that a call may get another
 * place, where one is free there (features F56).
 * @param {Board} board
 * @param {ReadonlyMap<string, CallPart>} calls
 * @returns {string[]}
 */
function newOnFirstPage(board, calls) {
  const free = FIRST_PAGE - [...board.places.values()].filter((place) => place < FIRST_PAGE).length;
  const starting = [...calls.values()].filter((call) => {
    const before = board.calls.get(call.id);
    return call.first_page && call.phase === "live" && before !== undefined && before.phase !== "live" && (board.places.get(call.id) ?? 0) >= FIRST_PAGE;
  });
  return starting.slice(0, free).map((call) => call.id);
}

/**
 * @param {Board} board
 * @param {CallPart | undefined} call
 */
function stays(board, call) {
  return call !== undefined && (isOnWall(call) || board.endedAt.has(call.id));
}

/**
 * @param {CallPart} one
 * @param {CallPart} other
 */
function byStart(one, other) {
  return Number(other.first_page) - Number(one.first_page) || one.starts_at.localeCompare(other.starts_at) || one.seat - other.seat || one.id.localeCompare(other.id);
}
