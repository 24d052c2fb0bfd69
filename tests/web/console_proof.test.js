import assert from "node:assert/strict";
import test from "node:test";

import { buildProof, notInView } from "../../supervisor_console/lib/proof.js";
import { aCall } from "./support/builders.js";

const shown = { line: { home: 1, index: 3 }, frames: 14, rtpTimestamp: 90_000, advanced: true, ratio: 1, unobscured: true, width: 320, height: 180 };
const prove = (calls, samples, more = {}) => buildProof({ n: 1, heard: "2026-11-24T14:00:00Z", visible: true, stale: false, calls, sampleOf: (leg) => samples[leg], ...more });

test("every call of the wall stands in the proof with every leg, shown or not", () => {
  const proof = prove([aCall(), aCall({ id: "b" })], { "a.1": shown });

  assert.deepEqual(proof.tiles.map((tile) => [tile.call_id, tile.legs.map((leg) => leg.leg_id)]), [
    ["a", ["a.1", "a.2"]],
    ["b", ["b.1", "b.2"]],
  ]);
});

test("a picture that is nowhere on the page claims nothing", () => {
  const [, absent] = prove([aCall()], { "a.1": shown }).tiles[0].legs;

  assert.deepEqual(absent, { leg_id: "a.2", line: null, home: 0, frames: 0, rtp_timestamp: null, advanced: false, ratio: 0, unobscured: false, width: 0, height: 0 });
});

test("what was measured is what is said", () => {
  const [leg] = prove([aCall()], { "a.1": { ...shown, ratio: 0.98765, width: 320.4 } }).tiles[0].legs;

  assert.deepEqual(leg, { leg_id: "a.1", line: 3, home: 1, frames: 14, rtp_timestamp: 90_000, advanced: true, ratio: 0.988, unobscured: true, width: 320, height: 180 });
});

for (const [name, more] of [
  ["without news the page is not claimed as displayed", { stale: true }],
  ["a hidden page is not claimed as displayed", { visible: false }],
]) {
  test(name, () => {
    const proof = prove([aCall()], { "a.1": shown, "a.2": shown }, more);

    assert.equal(proof.visible, false);
    assert.deepEqual([...notInView(proof)], [["a", "hidden"]]);
  });
}

for (const [name, sample, why] of [
  ["covered", { unobscured: false }, "hidden"],
  ["scrolled away in part", { ratio: 0.9 }, "hidden"],
  ["too small", { width: 90 }, "small"],
]) {
  test(`a call with one picture ${name} is not in view`, () => {
    const proof = prove([aCall()], { "a.1": shown, "a.2": { ...shown, ...sample } });

    assert.deepEqual([...notInView(proof)], [["a", why]]);
  });
}

test("a call with both pictures in view is counted as in view", () => {
  assert.equal(notInView(prove([aCall()], { "a.1": shown, "a.2": { ...shown, line: null } })).size, 0);
});
