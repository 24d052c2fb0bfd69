// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { Pulse } from "../../web/lib/pulse.js";
import { FakeClock, settle } from "./fakes.js";

/** A page whose media and whose broker do what the test says. */
function begin() {
  const clock = new FakeClock();
  /** @type {{ limitMs: number | undefined, answer: () => void, lose: () => void }[]} */
  const asked = [];
  const page = { count: 1, dead: 0, changed: () => {}, listening: true };
  const pulse = new Pulse({
    heard: async () => page.count,
    check: (limitMs) => new Promise((answer, reject) => asked.push({ limitMs, answer, lose: () => reject(new Error("gone")) })),
    quietMs: 1200,
    onDead: () => (page.dead += 1),
    surroundings: {
      setTimer: (run, ms) => clock.set(run, ms),
      clearTimer: (timer) => clock.clear(timer),
      now: () => clock.at,
      onNetworkChange: (run) => {
        page.changed = run;
        return () => (page.listening = false);
      },
    },
  });
  pulse.start();
  const flowing = async (/** @type {number} */ ms) => {
    for (let at = 0; at < ms; at += 100) {
      page.count += 1;
      await clock.advance(100);
    }
  };
  return { pulse, clock, asked, page, flowing };
}

test("while anything comes nobody is asked", async () => {
  const { flowing, asked, page } = begin();
  await flowing(10_000);
  assert.deepEqual([asked.length, page.dead], [0, 0]);
});

test("nothing comes and the broker answers: the path is dead, once", async () => {
  const { flowing, clock, asked, page } = begin();
  await flowing(3000);
  await clock.advance(1800);
  assert.equal(asked.length, 1);
  asked[0]?.answer();
  await settle();
  await clock.advance(200);
  assert.equal(page.dead, 1);
  await clock.advance(10_000);
  assert.deepEqual([asked.length, page.dead], [1, 1]);
});

test("a network that stood still and comes back is left alone", async () => {
  const { flowing, clock, asked, page } = begin();
  await flowing(3000);
  await clock.advance(4000);
  assert.equal(page.dead, 0, "the broker has not answered");
  page.count += 1; // media come back before the socket does
  asked[0]?.answer();
  await settle();
  await flowing(3000);
  assert.deepEqual([asked.length, page.dead], [1, 0]);
});

test("media that come with the answer are in time", async () => {
  const { flowing, clock, asked, page } = begin();
  await flowing(3000);
  await clock.advance(1800);
  asked[0]?.answer();
  await settle();
  await clock.advance(100);
  page.count += 1;
  await flowing(2000);
  assert.equal(page.dead, 0);
});

test("where the socket is gone as well its successor brings the offer", async () => {
  const { flowing, clock, asked, page } = begin();
  await flowing(3000);
  await clock.advance(1800);
  asked[0]?.lose();
  await settle();
  assert.equal(page.dead, 0);
  await clock.advance(300);
  assert.equal(asked.length, 2, "and it is watched on");
});

test("after word of another network it asks sooner and waits for less", async () => {
  const { flowing, clock, asked, page } = begin();
  await flowing(3000);
  page.changed();
  page.count += 1; // the last of the network that was left
  await clock.advance(1200);
  assert.deepEqual(asked.map((one) => one.limitMs), [1000]);
});

test("word of another network without harm is forgotten", async () => {
  const { flowing, clock, asked, page } = begin();
  page.changed();
  await flowing(4000);
  await clock.advance(900);
  assert.equal(asked.length, 0);
});

test("what is stopped says nothing more", async () => {
  const { pulse, flowing, clock, asked, page } = begin();
  await flowing(3000);
  await clock.advance(1800);
  pulse.stop();
  asked[0]?.answer();
  await settle();
  await clock.advance(10_000);
  assert.deepEqual([asked.length, page.dead, page.listening], [1, 0, false]);
});
