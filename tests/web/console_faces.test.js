import assert from "node:assert/strict";
import test from "node:test";

import { FaceCounts, Pace, SURE, facesIn, placeOf } from "../../supervisor_console/lib/faces.js";

const S = 1000;
const FAMILY = { callId: "v1", legId: "v1.2", expected: 2 };
const PRISONER = { callId: "v1", legId: "v1.1", expected: 1 };

/** The longest that the broker could believe it to have lasted, had it been told `said` at `now`. */
const lasted = (said, code, now) => said.filter((one) => one.code === code && one.since !== null).map(({ since }) => (now - since) / S);

/** Look at one end each `everyMs`, from second to second, and return the last time that the code was claimed to last. */
function watch(counts, end, from, to, count, everyMs = S) {
  let longest = 0;
  for (let now = from * S; now < to * S; now += everyMs) {
    counts.counted(end, count, now);
    longest = Math.max(longest, ...lasted(counts.take(now), "faces_fewer", now));
  }
  return longest;
}

test("a child who is away for 15 s is never said to be away for 20; one away for 25 s is, before those are over", () => {
  for (const everyMs of [500, 1000, 2000]) {
    const counts = new FaceCounts();
    watch(counts, FAMILY, 0, 30, 2, everyMs);
    assert.ok(watch(counts, FAMILY, 30, 45, 1, everyMs) < 20, `${everyMs}`);
    assert.equal(watch(counts, FAMILY, 45, 60, 2, everyMs), 0);
    assert.ok(watch(counts, FAMILY, 60, 85, 1, everyMs) >= 20, `${everyMs}`);
  }
});

test("one look is no reason, three in a row are; what is right again is said to be over at once, and once", () => {
  const counts = new FaceCounts();
  for (const [now, count] of [[0, 2], [1, 1], [2, 2], [3, 2], [4, 1], [5, 2]]) counts.counted(PRISONER, count, now * S);
  assert.deepEqual(counts.take(5 * S), []);
  for (const now of [6, 7, 8]) counts.counted(PRISONER, 2, now * S);
  assert.deepEqual(counts.take(8 * S), [{ callId: "v1", legId: "v1.1", code: "faces_more", since: 5 * S }]);
  counts.counted(PRISONER, 1, 9 * S);
  assert.deepEqual(counts.take(9 * S), [{ callId: "v1", legId: "v1.1", code: "faces_more", since: null }]);
  assert.deepEqual(counts.take(9 * S), []);
});

test("only the time between looks is claimed, however long ago the last one is", () => {
  const counts = new FaceCounts();
  for (const now of [0, 16, 32]) counts.counted(PRISONER, 0, now * S);
  assert.deepEqual(lasted(counts.take(47 * S), "faces_none", 47 * S), [32]);
});

test("of an empty picture it is not also said that somebody is missing", () => {
  const counts = new FaceCounts();
  for (let now = 0; now < 5; now += 1) counts.counted(FAMILY, 1, now * S);
  for (let now = 5; now < 8; now += 1) counts.counted(FAMILY, 0, now * S);
  assert.deepEqual(counts.take(8 * S).map(({ code, since }) => [code, since]), [
    ["faces_fewer", null],
    ["faces_none", 6 * S],
  ]);
});

test("every end has its turn, and every second turn is for one that is suspected", () => {
  const ends = Array.from({ length: 32 }, (_, at) => ({ callId: `v${at >> 1}`, legId: `v${at >> 1}.${at % 2}`, expected: 1 }));
  const counts = new FaceCounts();
  const looked = new Map();
  for (let turn = 0; turn < 128; turn += 1) {
    const end = counts.next(ends, turn * S);
    looked.set(end.legId, (looked.get(end.legId) ?? 0) + 1);
    counts.counted(end, end.legId === "v3.1" ? 0 : 1, turn * S);
  }
  assert.equal(looked.size, 32);
  assert.ok(looked.get("v3.1") >= 25 && looked.get("v3.1") <= 40); // for a minute, then in turn
  assert.ok([...looked].every(([legId, times]) => legId === "v3.1" || times >= 2));
});

test("nothing stands of an end that cannot be looked at, nor after another number is expected", () => {
  for (const left of [[], [{ ...PRISONER, expected: 2 }]]) {
    const counts = new FaceCounts();
    for (const now of [0, 1, 2, 3]) counts.counted(PRISONER, 0, now * S);
    counts.keep([PRISONER]);
    assert.equal(counts.take(3 * S).length, 1);
    counts.keep(left);
    assert.deepEqual(counts.take(4 * S).map(({ since }) => since), [null]);
  }
  assert.equal(new FaceCounts().next([], 0), null);
});

test("looks take five hundredths of a core at the most, and both ends of one tile a second", () => {
  for (const ms of [5, 20, 25, 60, 400]) {
    const period = new Pace().restAfter(ms) + ms;
    assert.ok(ms / period <= 0.05 + 1e-9 && period >= 500, `${ms}`);
  }
  const pace = new Pace();
  assert.equal(pace.restAfter(10) + 10, 500);
  assert.equal(pace.restAfter(4000), 0); // it waited for a core, and spent no more than before
});

test("a face is what the model is sure of, and a picture lies whole and undistorted in a look", () => {
  assert.equal(facesIn([0.2, SURE, 0.9]), 2);
  assert.deepEqual(placeOf(320, 180), { left: 0, top: 56, width: 256, height: 144 });
  assert.deepEqual(placeOf(180, 320), { left: 56, top: 0, width: 144, height: 256 });
});
