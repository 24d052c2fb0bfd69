// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { JitterBuffer } from "../../web/lib/jitter_buffer.js";

const PACKETS = 50; // a second

/** A sound of which `late(wait)` packets a second come too late for a buffer that waits so many ms. */
function listen(/** @type {(wait: number) => number} */ late) {
  const own = 80;
  const heard = { type: "inbound-rtp", packetsReceived: 0, packetsDiscarded: 0, jitterBufferMinimumDelay: 0, jitterBufferEmittedCount: 0 };
  const receiver = /** @type {any} */ ({ jitterBufferTarget: null, getStats: async () => new Map([["sound", heard]]) });
  const buffer = new JitterBuffer(receiver);
  const page = { at: 0, late, receiver };
  const listening = async (/** @type {number} */ seconds) => {
    /** @type {number[]} */
    const waits = [];
    for (let at = 0; at < seconds; at += 1) {
      page.at += 1000;
      heard.packetsReceived += PACKETS;
      heard.packetsDiscarded += page.late(Math.max(own, receiver.jitterBufferTarget ?? 0));
      heard.jitterBufferEmittedCount += 48_000;
      heard.jitterBufferMinimumDelay += (48_000 * own) / 1000;
      await buffer.look(page.at);
      waits.push(receiver.jitterBufferTarget ?? 0);
    }
    return waits;
  };
  return { page, listening };
}

const inTime = () => 0;
/** Repeats that come `ms` late. */
const repeats = (/** @type {number} */ ms) => (/** @type {number} */ wait) => (wait < ms ? 3 : 0);

test("while no packet comes too late, the browser waits as it thinks best", async () => {
  const { listening } = listen(inTime);
  assert.deepEqual(new Set(await listening(120)), new Set([0]));
});

test("where repeats come too late, sound soon waits for them, and no longer than it needs to", async () => {
  const { listening } = listen(repeats(260));
  const waits = await listening(60);
  assert.ok(waits[9] >= 260, `${waits}`);
  assert.ok(Math.max(...waits) <= 360, `${waits}`);
});

test("a single late packet is chance", async () => {
  const { page, listening } = listen(inTime);
  await listening(10);
  page.late = () => 1;
  await listening(1);
  page.late = inTime;
  assert.deepEqual(new Set(await listening(20)), new Set([0]));
});

test("a network that mends is waited for less and less, and then not at all", async () => {
  const { page, listening } = listen(repeats(260));
  await listening(20);
  page.late = inTime;
  const waits = await listening(250);
  assert.ok(waits.every((wait, at) => at === 0 || wait <= (waits[at - 1] ?? 0)), `${waits}`);
  assert.equal(page.receiver.jitterBufferTarget, null);
});

test("a wait that does not help is given up, for a minute", async () => {
  const { listening } = listen(repeats(700));
  const waits = await listening(60);
  const given = waits.indexOf(0, waits.findIndex((wait) => wait > 0));
  assert.ok(given > 0 && given <= 20, `${waits}`);
  assert.deepEqual(new Set(waits.slice(given)), new Set([0]));
});

test("the longest wait is kept where it helps but does not mend all", async () => {
  const { listening } = listen((wait) => (wait < 400 ? 4 : 1));
  const waits = await listening(60);
  assert.deepEqual(new Set(waits.slice(20)), new Set([400]));
});

test("a browser that knows no such wish is left alone", async () => {
  const receiver = /** @type {any} */ ({
    getStats: () => assert.fail("asked for nothing"),
  });
  await new JitterBuffer(receiver).look(0);
});
