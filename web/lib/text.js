// @ts-check
/** The page's sentences, by key, from the catalogue that the page's shell carries. */

import { config } from "./config.js";

/** @typedef {string | Record<string, string>} Forms One sentence, or one for each plural category. */
/** @typedef {{ language: string, messages: Record<string, Forms> }} Catalogue */

/** @type {Catalogue} */
let catalogue = { language: "en", messages: {} };
/** @type {Intl.PluralRules} */
let plurals = new Intl.PluralRules("en");
let loaded = false;

/**
 * Speak from this catalogue from now on.
 * @param {Catalogue} words
 */
export function useCatalogue(words) {
  catalogue = words;
  plurals = new Intl.PluralRules(words.language.split("-")[0]);
  loaded = true;
}

/** @returns {string} The language of the page, as a BCP 47 tag. */
export function language() {
  load();
  return catalogue.language;
}

/** @returns {string} The language with its country: dates in English are British ones here. */
export function locale() {
  const tag = language();
  return tag === "en" || tag.startsWith("en-X") ? "en-GB" : tag;
}

/**
 * Return the sentence of `key` with its `{places}` filled; `n` also chooses the plural form.
 * A key that the catalogue lacks is returned as it is, so that the page still shows.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  load();
  const forms = catalogue.messages[key];
  if (forms === undefined) return key;
  const sentence = typeof forms === "string" ? forms : pick(forms, values["n"]);
  return sentence.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}

/**
 * @param {string} key
 * @returns {boolean}
 */
export function has(key) {
  load();
  return key in catalogue.messages;
}

/**
 * @param {Record<string, string>} forms
 * @param {string | number | undefined} number
 */
function pick(forms, number) {
  const category = typeof number === "number" ? plurals.select(number) : "other";
  return forms[category] ?? forms["other"] ?? "";
}

function load() {
  if (loaded) return;
  loaded = true;
  const words = /** @type {Catalogue | undefined} */ (config()["text"]);
  if (words) useCatalogue(words);
}
