import assert from "node:assert/strict";
import test from "node:test";

import { signal } from "@preact/signals";

import { Media } from "../../supervisor_console/monitor/media.js";

const WANT = { audio: 8, video: 24, homes: 3 };

/** A console signed on to a relay of three homes, with peers that do as they are told. */
function begin() {
  const made = /** @type {any[]} */ ([]);
  const offers = /** @type {any[]} */ ([]);
  const timers = /** @type {(() => void)[]} */ ([]);
  const session = /** @type {any} */ ({
    signedOn: [],
    hearers: [],
    board: signal({ receive: WANT }),
    onPost: signal(true),
    wanted: signal({}),
    connection: {
      command: async (/** @type {any} */ message) => {
        offers.push(message);
        return { type: "media.answer", sdp: "", lines: [] };
      },
    },
  });
  const media = new Media(session, {
    makePeer: /** @type {any} */ ((/** @type {any} */ options) => {
      const peer = new FakePeer(options);
      made.push(peer);
      return peer;
    }),
    setTimer: (run) => timers.push(run),
    clearTimer: () => {},
  });
  for (const run of session.signedOn) run();
  const hear = (/** @type {any} */ message) => session.hearers.forEach((/** @type {any} */ each) => each(message));
  return { media, made, offers, timers, hear };
}

class FakePeer {
  /** @param {any} options */
  constructor(options) {
    this.options = options;
    this.closed = false;
  }

  async start() {
    await this.options.offer("v=0");
  }

  /** @param {string} kind @param {number} index */
  track(kind, index) {
    return { of: this, name: `${kind} ${index}` };
  }

  close() {
    this.closed = true;
  }
}

const line = (/** @type {number} */ home, index = 0) => /** @type {any} */ ({ kind: "video", index, home, call_id: "a", leg_id: "a.1" });

test("the wall connects to every home of the relay, each with its own pool of lines", () => {
  const { made, offers } = begin();
  assert.deepEqual(offers.map((offer) => offer.home), [0, 1, 2]);
  assert.deepEqual(made.map((peer) => [peer.options.audioLines, peer.options.videoLines, peer.options.publish]), Array(3).fill([8, 24, null]));
});

test("a picture is taken from the line of the home that its call lives at", () => {
  const { media, made } = begin();
  assert.deepEqual(media.track(line(2, 5)), { of: made[2], name: "video 5" });
  assert.equal(media.track(line(3)), null);
});

test("a new offer at one home leaves the others alone", () => {
  const { media, made, offers, hear } = begin();
  hear({ type: "media.reoffer", home: 1, receive: { ...WANT, video: 32 } });
  assert.equal(made[1].closed, true);
  assert.equal(made[0].closed || made[2].closed, false);
  assert.deepEqual([offers[3].home, made[3].options.videoLines], [1, 32]);
  assert.equal(/** @type {any} */ (media.track(line(1))).of, made[3]);
});

test("a connection that is lost is made anew at its own home, with the lines that were last asked for", () => {
  const { made, offers, timers, hear } = begin();
  hear({ type: "media.reoffer", home: 1, receive: { ...WANT, video: 32 } });
  made[1].options.onState("lost"); // the old one's last word
  assert.equal(timers.length, 0);
  made[3].options.onState("lost");
  timers.forEach((run) => run());
  assert.deepEqual([offers[4].home, made[4].options.videoLines], [1, 32]);
});
