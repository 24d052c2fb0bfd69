// @ts-check
/** What a person chose on this machine: the scheme of colours, and whether single letters are keys (WCAG 2.1.4). */

import { signal } from "@preact/signals";

const SCHEME = "console.scheme";
const LETTERS = "console.letters";

/** @type {import("@preact/signals").Signal<"dark" | "light">} */
export const scheme = signal(/** @type {"dark" | "light"} */ ("light"));
export const letters = signal(true);

/** @param {"dark" | "light"} usual What this page has when nobody chose. */
export function readChoices(usual) {
  const chosen = localStorage.getItem(SCHEME);
  setScheme(chosen === "dark" || chosen === "light" ? chosen : usual, false);
  letters.value = localStorage.getItem(LETTERS) !== "off";
}

/**
 * @param {"dark" | "light"} chosen
 * @param {boolean} [keep]
 */
export function setScheme(chosen, keep = true) {
  scheme.value = chosen;
  document.documentElement.dataset["scheme"] = chosen;
  if (keep) localStorage.setItem(SCHEME, chosen);
}

/** @param {boolean} on */
export function setLetters(on) {
  letters.value = on;
  localStorage.setItem(LETTERS, on ? "on" : "off");
}
