// @ts-check
/** What the live pages are built with, under one roof: elements, hooks, signals. No bundler, no markup from strings. */

import { h, render } from "preact";
import htm from "htm";

export { Fragment } from "preact";
export { useEffect, useLayoutEffect, useRef, useState, useMemo } from "preact/hooks";
export { signal, computed, effect, batch, useSignal, useComputed } from "@preact/signals";
export { h, render };

/** @typedef {import("preact").ComponentChildren} Children */
/** @typedef {import("preact").VNode<any>} Node */

/** Elements from a template literal: html`<p>…</p>`. */
export const html = /** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */ (htm.bind(/** @type {any} */ (h)));
