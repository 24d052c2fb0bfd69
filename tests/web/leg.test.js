// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { DeviceProblem } from "../../web/lib/devices.js";
import { Leg } from "../../web/lib/leg.js";
import { FakeClock, settle } from "./fakes.js";

/** A leg with a connection, devices and peers that the test plays. */
function begin({ devices = true } = {}) {
  const clock = new FakeClock();
  /** @type {any[]} */
  const said = [];
  /** @type {any} */
  let options;
  /** @type {any[]} */
  const peers = [];
  const tracks = [track("audio"), track("video")];
  const local = { stream: { getTracks: () => tracks }, audio: tracks[0], video: tracks[1], camera: "ok", microphone: "ok", stop: () => tracks.forEach((one) => one.stop()) };
  const answers = new Map();
  const connection = {
    now: () => clock.at,
    send: (/** @type {any} */ message) => said.push(message),
    command: async (/** @type {any} */ message) => {
      said.push(message);
      return answers.get(message.type) ?? { type: "ok", key: "k" };
    },
    restart: () => said.push({ type: "(restart)" }),
  };
  const leg = new Leg(async () => "ticket", "family", {
    connect: /** @type {any} */ ((/** @type {any} */ given) => ((options = given), connection)),
    openDevices: /** @type {any} */ (async () => {
      if (!devices) throw new DeviceProblem("blocked");
      return local;
    }),
    makePeer: /** @type {any} */ ((/** @type {any} */ given) => {
      const peer = new FakePeer(given);
      peers.push(peer);
      return peer;
    }),
    setTimer: (run, ms) => clock.set(run, ms),
  });
  const hear = (/** @type {any} */ message) => options.onMessage(message);
  const open = () => {
    options.onState("open");
    hear({ type: "welcome", receive: { audio: 1, video: 1 }, you: { chair: "family" } });
  };
  const types = () => said.map((message) => message.type).filter((type) => type !== "leg.progress");
  return { leg, hear, open, said, types, peers, clock, answers, tracks, link: (/** @type {any[]} */ ...state) => options.onState(...state) };
}

/** @param {string} kind */
function track(kind) {
  return { kind, enabled: true, stopped: false, onended: null, stop() { this.stopped = true; } };
}

class FakePeer {
  /** @param {any} options */
  constructor(options) {
    this.options = options;
    this.closed = false;
    this.refreshed = 0;
    this.tracks = new Map();
  }

  async start() {}

  /** @param {string} state */
  become(state) {
    this.options.onState(state);
  }

  /** @param {string} kind @param {number} index */
  track(kind, index) {
    return { id: `${kind}${index}` };
  }

  async refresh() {
    this.refreshed += 1;
  }

  close() {
    this.closed = true;
  }
}

/** @param {string} screen @param {object} [more] */
const visit = (screen, more = {}) => ({ type: "visit", now: "2026-11-24T14:00:00Z", call_id: "v1", screen, pause: null, notice: { version: "2026-11" }, ...more });

/** A call in which media has come through. */
async function talking() {
  const test = begin();
  test.open();
  test.hear(visit("call"));
  await settle();
  test.peers[0].become("connected");
  return test;
}

test("no camera is opened before the check asks for it", async () => {
  const { open, hear, leg, types } = begin();
  open();
  hear(visit("notice"));
  await settle();
  assert.equal(leg.media.value.state, "idle");
  await leg.accept();
  assert.deepEqual(types(), ["consent.accept"]);
});

test("the notice is accepted in the version that was shown", async () => {
  const { open, hear, leg, said } = begin();
  open();
  hear(visit("notice"));
  await leg.accept();
  assert.deepEqual(said.find((message) => message.type === "consent.accept"), { type: "consent.accept", notice_version: "2026-11" });
});

test("in the lobby the page enters once and sends its media", async () => {
  const { open, hear, leg, types, peers } = begin();
  open();
  hear(visit("check"));
  await leg.open();
  await leg.reportCheck();
  assert.equal(peers.length, 0);
  hear(visit("lobby"));
  hear(visit("lobby", { late_min: 2 }));
  await settle();
  assert.deepEqual(types(), ["check.report", "lobby.enter"]);
  assert.equal(peers.length, 1);
});

test("a reload in the lobby opens the devices again by itself", async () => {
  const { open, hear, peers, types } = begin();
  open();
  hear(visit("lobby"));
  await settle();
  assert.deepEqual(types(), ["lobby.enter"]);
  assert.equal(peers.length, 1);
});

test("how far the leg has come is told at each step", async () => {
  const { said } = await talking();
  assert.deepEqual(said.filter((message) => message.type === "leg.progress").map((message) => message.step), ["link_opened", "media_chosen", "connecting", "connected"]);
});

test("a picture is there only in a call, on a line that carries a leg", async () => {
  const { leg, hear } = await talking();
  hear({ type: "media.lines", lines: [{ kind: "video", index: 0, call_id: "v1", leg_id: "v1.1" }] });
  assert.deepEqual(leg.pictures.value, [{ legId: "v1.1", track: { id: "video0" } }]);
  assert.deepEqual(leg.sounds.value, []);
  hear({ type: "media.lines", lines: [] });
  assert.deepEqual(leg.pictures.value, []);
});

test("a pause takes picture and sound off the page and sends black and silence", async () => {
  const { leg, hear, tracks } = await talking();
  assert.equal(leg.pictures.value.length, 1);
  hear(visit("paused", { pause: "staff" }));
  assert.deepEqual([leg.face.value, leg.pictures.value, leg.sounds.value], ["paused", [], []]);
  assert.deepEqual(tracks.map((one) => one.enabled), [false, false]);
  hear(visit("call"));
  assert.equal(leg.face.value, "call");
  assert.deepEqual(tracks.map((one) => one.enabled), [true, true]);
});

test("a picture that comes after black begins afresh: after a pause, and after the camera was off", async () => {
  const { leg, hear, peers } = await talking();
  hear(visit("paused", { pause: "staff" }));
  assert.equal(peers[0].refreshed, 0);
  hear(visit("call"));
  assert.equal(peers[0].refreshed, 1);
  leg.muted.value = true;
  leg.muted.value = false;
  assert.equal(peers[0].refreshed, 1);
  leg.cameraOff.value = true;
  hear(visit("paused", { pause: "staff" }));
  hear(visit("call"));
  assert.equal(peers[0].refreshed, 1);
  leg.cameraOff.value = false;
  assert.equal(peers[0].refreshed, 2);
});

test("after a pause what the person had muted stays muted", async () => {
  const { leg, hear, tracks } = await talking();
  leg.muted.value = true;
  hear(visit("paused", { pause: "staff" }));
  hear(visit("call"));
  assert.deepEqual(tracks.map((one) => [one.kind, one.enabled]), [["audio", false], ["video", true]]);
});

test("lost media is made anew, later each time", async () => {
  const { leg, peers, clock } = await talking();
  peers[0].become("lost");
  assert.equal(leg.face.value, "reconnecting");
  await clock.advance(0);
  assert.equal(peers.length, 2);
  peers[1].become("lost");
  await clock.advance(499);
  assert.equal(peers.length, 2);
  await clock.advance(1);
  assert.equal(peers.length, 3);
  peers[2].become("connected");
  assert.equal(leg.face.value, "call");
});

test("where the broker asks for a new offer, it goes at once, whatever failed before", async () => {
  const { hear, peers, clock } = await talking();
  peers[0].become("lost");
  await clock.advance(0);
  peers[1].become("lost"); // the next try would be in half a second
  hear({ type: "media.reoffer", receive: { audio: 1, video: 1, homes: 1 }, home: 0 });
  await settle();
  assert.equal(peers.length, 3);
  await clock.advance(5000);
  assert.equal(peers.length, 3, "and the try that was due makes no other");
});

test("an offer that is refused is tried again", async () => {
  const { open, hear, peers, clock } = begin();
  const start = FakePeer.prototype.start;
  FakePeer.prototype.start = async () => {
    throw new Error("refused");
  };
  try {
    open();
    hear(visit("call"));
    await settle();
    assert.equal(peers[0].closed, true);
    FakePeer.prototype.start = start;
    await clock.advance(0);
    assert.equal(peers.length, 2);
  } finally {
    FakePeer.prototype.start = start;
  }
});

test("a new socket gets a new offer, and the old connection is closed", async () => {
  const { open, hear, peers, link } = await talking();
  link("reconnecting");
  open();
  hear(visit("call"));
  await settle();
  assert.deepEqual(peers.map((peer) => peer.closed), [true, false]);
});

test("a socket away for a moment leaves the call alone; away longer, it is said", async () => {
  const { leg, link, clock } = await talking();
  link("reconnecting");
  await clock.advance(3999);
  assert.equal(leg.face.value, "call");
  await clock.advance(1);
  assert.equal(leg.face.value, "reconnecting");
});

test("two short losses are not one long one", async () => {
  const { leg, link, open, hear, clock, peers } = await talking();
  link("reconnecting");
  await clock.advance(3000);
  open();
  hear(visit("call"));
  await settle();
  peers[1].become("connected");
  link("reconnecting");
  await clock.advance(2000);
  assert.equal(leg.face.value, "call");
});

test("at the end the camera goes off and the line is closed", async () => {
  const { leg, hear, tracks, peers } = await talking();
  hear(visit("ended", { end: "time" }));
  assert.equal(leg.face.value, "ended");
  assert.deepEqual([tracks.map((one) => one.stopped), peers[0].closed], [[true, true], true]);
});

test("a link that is withdrawn takes everything down", async () => {
  const { leg, link, tracks, peers } = await talking();
  link("closed", "revoked");
  assert.deepEqual([leg.face.value, leg.closedCode.value], ["closed", "revoked"]);
  assert.deepEqual([tracks.map((one) => one.stopped), peers[0].closed], [[true, true], true]);
});

test("a blocked camera is named and nothing is reported as working", async () => {
  const { leg, open, hear, types, said } = begin({ devices: false });
  open();
  hear(visit("check"));
  await leg.open();
  await leg.reportCheck();
  assert.deepEqual([leg.media.value.state, leg.media.value.problem?.code], ["failed", "blocked"]);
  assert.deepEqual(types(), ["check.report"]);
  assert.deepEqual([said.at(-1).camera, said.at(-1).microphone], ["blocked", "blocked"]);
});

test("a warning is kept until read and shown once however often it comes", async () => {
  const { leg, hear, said } = await talking();
  const warning = { type: "warning", warning_id: "w1", warning: "language", at: "2026-11-24T14:00:00Z" };
  hear(warning);
  hear(warning);
  assert.equal(leg.warnings.value.length, 1);
  leg.warningShown("w1");
  assert.deepEqual(said.at(-1), { type: "warning.shown", warning_id: "w1" });
  leg.warningRead("w1");
  assert.deepEqual(leg.warnings.value, []);
});

test("a refusal is kept for the person to read, until the next try", async () => {
  const { leg, open, hear, answers } = begin();
  open();
  hear(visit("notice"));
  answers.set("consent.accept", { type: "refused", key: "k", code: "stale_version" });
  await leg.accept();
  assert.equal(leg.refused.value, "stale_version");
  answers.clear();
  await leg.accept();
  assert.equal(leg.refused.value, null);
});

test("the next call of a seat begins with nothing of the last one", async () => {
  const { leg, hear, open } = await talking();
  hear({ type: "warning", warning_id: "w1", warning: "language", at: "2026-11-24T14:00:00Z" });
  hear(visit("none", { call_id: null }));
  hear(visit("check", { call_id: "v2" }));
  assert.deepEqual([leg.warnings.value, leg.wasConnected.value, leg.media.value.state], [[], false, "idle"]);
  open();
});

test("a picture that the link does not carry is taken off the page, and comes back when the broker says so", async () => {
  const { leg, hear, open, peers } = begin();
  open();
  hear({ type: "visit", screen: "call", call_id: "v1" });
  await settle();
  peers[0].options.onState("connected");
  hear({ type: "media.lines", lines: ["audio", "video"].map((kind) => ({ kind, index: 0, leg_id: "v1.1" })) });
  assert.equal(leg.pictures.value.length, 1);

  hear({ type: "media.quality", picture: "none", dropped: [0] });
  assert.equal(leg.pictures.value.length, 0);
  assert.equal(leg.sounds.value.length, 1, "the sound stays");
  assert.equal(leg.soundOnly.value, true);

  hear({ type: "media.quality", picture: "reduced", dropped: [] });
  assert.equal(leg.pictures.value.length, 1);
  assert.equal(leg.soundOnly.value, false);

  hear({ type: "media.quality", picture: "none", dropped: [0] });
  open();
  assert.equal(leg.soundOnly.value, false, "a new socket begins with a whole picture");
});
