import assert from "node:assert/strict";
import test from "node:test";

import { LOOK, Suspicions, isCovered, isFrozen, isSilent, lookAt } from "../../supervisor_console/lib/detect.js";

let seed = 7;
const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;

/** A room with a person, `noise` of a camera, and light from 0 to 1. */
function room({ noise = 3, light = 1, flat = false, shift = 0 } = {}) {
  const pixels = [];
  for (let y = 0; y < LOOK.height; y += 1) {
    for (let x = 0; x < LOOK.width; x += 1) {
      const person = !flat && Math.hypot(x - 16 - shift, y - 9) < 5;
      const value = ((person ? 190 : flat ? 90 : 60 + x) + (random() - 0.5) * 2 * noise) * light;
      pixels.push(value, value, value, 255);
    }
  }
  return lookAt(pixels.map((value) => Math.max(0, Math.min(255, Math.round(value)))));
}

/** Labelled pictures: what a lens looks like, and whether it is covered. */
const LABELLED = [
  ...[1, 0.6, 0.4, 0.25].flatMap((light) => [2, 4, 8].map((noise) => ({ look: room({ light, noise }), covered: false }))),
  ...[1, 0.5, 0.1, 0].flatMap((light) => [0, 2, 4].map((noise) => ({ look: room({ light, noise, flat: true }), covered: true }))),
];

test("of 24 labelled pictures every covered lens is told, and no room however dim", () => {
  const told = LABELLED.filter(({ look }) => isCovered(look));
  const right = told.filter(({ covered }) => covered).length;
  const all = LABELLED.filter(({ covered }) => covered).length;
  assert.deepEqual({ precision: right / told.length, recall: right / all }, { precision: 1, recall: 1 });
});

test("a picture that stands is frozen; one with a camera's noise or a person who moves is not", () => {
  const still = room();
  assert.ok(isFrozen(still, still));
  assert.ok(!isFrozen(room({ noise: 1 }), room({ noise: 1 })));
  assert.ok(!isFrozen(room({ noise: 0 }), room({ noise: 0, shift: 2 })));
  const dark = room({ light: 0 });
  assert.ok(!isFrozen(dark, dark));
});

test("silence is of every end, and nothing is said of an end that sends no sound", () => {
  assert.ok(isSilent([0, 0.01]));
  assert.ok(!isSilent([0, 0.3]));
  assert.ok(!isSilent([]));
});

test("what is seen is said with its beginning until it is seen no more, and that once", () => {
  const suspicions = new Suspicions();
  const lid = room({ light: 0 });
  suspicions.looked("v1", "v1.2", lid, 1000);
  suspicions.looked("v1", "v1.2", lid, 17_000);
  assert.deepEqual(suspicions.take(), [{ callId: "v1", legId: "v1.2", code: "covered", since: 1000 }]);
  suspicions.looked("v1", "v1.2", room(), 33_000);
  assert.deepEqual(suspicions.take(), [{ callId: "v1", legId: "v1.2", code: "covered", since: null }]);
  assert.deepEqual(suspicions.take(), []);
});

test("a picture is frozen since it was first seen so", () => {
  const suspicions = new Suspicions();
  const still = room();
  for (const at of [1000, 17_000, 33_000]) suspicions.looked("v1", "v1.2", still, at);
  assert.deepEqual(suspicions.take(), [{ callId: "v1", legId: "v1.2", code: "frozen", since: 1000 }]);
});

test("of a call that is held, over or not in sight nothing stands", () => {
  const suspicions = new Suspicions();
  suspicions.looked("v1", "v1.2", room({ light: 0 }), 1000);
  suspicions.heard("v1", [0, 0], 1000);
  suspicions.keep(new Set());
  assert.deepEqual(suspicions.take().map((one) => one.since), [null, null]);
});

test("nothing is claimed of a picture that is there no more", () => {
  const suspicions = new Suspicions();
  suspicions.looked("v1", "v1.2", room({ light: 0 }), 1000);
  suspicions.take();
  suspicions.unseen("v1", "v1.2");
  assert.deepEqual(suspicions.take(), [{ callId: "v1", legId: "v1.2", code: "covered", since: null }]);
  suspicions.unseen("v1", "v1.2");
  assert.deepEqual(suspicions.take(), []);
});
