// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { faceOf, pauseLook } from "../../web/lib/face.js";

/** @typedef {import("../../web/lib/face.js").Known} Known */

/** @type {any} */
const VISIT = { screen: "call", pause: null };
/** @type {Known} */
const TALKING = { link: "open", linkGone: false, visit: VISIT, media: "ready", peer: "connected", wasConnected: true };

/** @param {Partial<Known>} change */
const face = (change) => faceOf({ ...TALKING, ...change });
/** @param {string} screen @param {string | null} [pause] */
const on = (screen, pause = null) => /** @type {any} */ ({ screen, pause });

test("each screen of the broker has its face", () => {
  const screens = ["none", "notice", "check", "lobby", "call", "paused", "ended"];
  assert.deepEqual(screens.map((screen) => face({ visit: on(screen) })), ["waiting", "notice", "check", "lobby", "call", "paused", "ended"]);
});

test("a pause of any kind but one's own lost line is shown as a pause", () => {
  const pauses = ["staff", "fault", "other_end", "no_officer", null];
  assert.deepEqual(pauses.map((pause) => face({ visit: on("paused", pause) })), pauses.map(() => "paused"));
  assert.equal(face({ visit: on("paused", "you") }), "reconnecting");
});

test("a fault never looks like a decision of staff, nor a decision like a fault", () => {
  assert.equal(pauseLook("staff"), "staff");
  assert.deepEqual(["fault", "you", "other_end", null].map((pause) => pauseLook(/** @type {any} */ (pause))), ["fault", "fault", "fault", "fault"]);
  assert.equal(pauseLook("no_officer"), "wait");
});

test("the end is final, whatever the socket does", () => {
  for (const link of /** @type {const} */ (["open", "reconnecting", "closed"])) {
    assert.equal(face({ visit: /** @type {any} */ ({ screen: "ended", end: "time" }), link, linkGone: true }), "ended");
  }
});

test("a link that was withdrawn is not told as a call that ended", () => {
  assert.equal(face({ visit: /** @type {any} */ ({ screen: "ended", end: null }), link: "closed" }), "closed");
});

test("a socket that is away for a moment changes nothing, then it is a fault", () => {
  assert.equal(face({ link: "reconnecting", linkGone: false }), "call");
  assert.equal(face({ link: "reconnecting", linkGone: true }), "reconnecting");
  assert.equal(face({ link: "reconnecting", linkGone: true, visit: null }), "reconnecting");
});

test("a closed link is told before the call has ended", () => {
  assert.equal(face({ link: "closed" }), "closed");
  assert.equal(face({ link: "closed", visit: null }), "closed");
});

test("media that never came is connecting; media that came and went is a fault", () => {
  assert.equal(face({ peer: "connecting", wasConnected: false }), "connecting");
  assert.equal(face({ peer: "connecting", wasConnected: true }), "reconnecting");
  assert.equal(face({ peer: "interrupted" }), "reconnecting");
});

test("without camera or microphone the page helps with that first", () => {
  assert.equal(face({ media: "failed" }), "device");
  assert.equal(face({ media: "failed", visit: on("lobby") }), "device");
  assert.equal(face({ media: "failed", visit: on("paused", "you") }), "device");
  assert.equal(face({ media: "failed", visit: on("paused", "staff") }), "paused");
});

test("before the broker's first word the page is loading", () => {
  assert.equal(face({ visit: null, link: "connecting" }), "loading");
  assert.equal(face({ visit: null, link: "open" }), "loading");
});
