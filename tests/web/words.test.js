// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { has, locale, t, useCatalogue } from "../../web/lib/text.js";
import { clock, day, isSameDay, minutesLeft, minutesToSay } from "../../web/lib/time.js";
import { loudness } from "../../web/lib/level.js";

const ENGLISH = {
  language: "en",
  messages: { hello: "Hello {name}, {name}", left: { one: "{n} minute", other: "{n} minutes" }, plain: "Plain {n}" },
};

test("places are filled, and a value is never read as a place", () => {
  useCatalogue(ENGLISH);
  assert.equal(t("hello", { name: "{n}" }), "Hello {n}, {n}");
});

test("a place without a value stays, and a key without a sentence shows itself", () => {
  useCatalogue(ENGLISH);
  assert.equal(t("hello"), "Hello {name}, {name}");
  assert.equal(t("nothing.here"), "nothing.here");
  assert.deepEqual([has("hello"), has("nothing.here")], [true, false]);
});

test("the number chooses the plural form", () => {
  useCatalogue(ENGLISH);
  assert.deepEqual([0, 1, 2].map((n) => t("left", { n })), ["0 minutes", "1 minute", "2 minutes"]);
  assert.equal(t("plain", { n: 1 }), "Plain 1");
});

test("Welsh has its six forms", () => {
  useCatalogue({ language: "cy", messages: { left: { zero: "dim", one: "un", two: "dau", few: "tri", many: "chwech", other: "{n}" } } });
  assert.deepEqual([0, 1, 2, 3, 6, 7].map((n) => t("left", { n })), ["dim", "un", "dau", "tri", "chwech", "7"]);
});

test("dates in English are British, in the prison's time zone", () => {
  useCatalogue(ENGLISH);
  assert.equal(locale(), "en-GB");
  assert.equal(clock("2026-07-01T13:00:00Z"), "14:00");
  assert.equal(day("2026-07-01T23:30:00Z"), "Thursday 2 July");
  assert.equal(isSameDay("2026-07-01T23:30:00Z", "2026-07-02T10:00:00Z"), true);
});

test("a begun minute counts, and nothing is below zero", () => {
  const end = "2026-11-24T15:00:00Z";
  const before = (/** @type {number} */ seconds) => minutesLeft(end, Date.parse(end) - seconds * 1000);
  assert.deepEqual([61, 60, 59, 1, 0, -30].map(before), [2, 1, 1, 1, 0, 0]);
});

test("10, 5 and 1 minutes are said once each, and nothing else is", () => {
  const said = [];
  let last = /** @type {number | null} */ (null);
  for (let left = 30; left >= 0; left -= 1) {
    const mark = minutesToSay(left, last);
    if (mark === null) continue;
    last = mark;
    said.push(left);
  }
  assert.deepEqual(said, [10, 5, 1]);
});

test("a page that joins late says what is left, once", () => {
  assert.equal(minutesToSay(7, null), 10);
  assert.equal(minutesToSay(6, 10), null);
});

test("loudness goes from nothing to one", () => {
  assert.equal(loudness(new Float32Array(8)), 0);
  assert.equal(loudness(new Float32Array(8).fill(1)), 1);
  const quiet = loudness(new Float32Array(8).fill(0.01));
  const loud = loudness(new Float32Array(8).fill(0.1));
  assert.ok(0 < quiet && quiet < loud && loud < 1);
});
