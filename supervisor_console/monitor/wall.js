// @ts-check
/** All calls in sight: the grid of the chosen layout, and the strip with every call: a mark or a live cell. */

import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { rowsOf, stripOf } from "../lib/layout.js";
import { zoomOf } from "../lib/zoom.js";
import { Focus } from "./focus.js";
import { StripCell, StripMark, Tile } from "./tile.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** @param {{ desk: Desk }} props */
export function Wall({ desk }) {
  const area = useRef(/** @type {HTMLElement | null} */ (null));
  useRoom(desk, area);
  const layout = desk.layout.value;
  useLayoutEffect(() => {
    document.documentElement.dataset["small"] = String(layout.size === 0);
  }, [layout.size === 0]);
  const { places } = desk.session.board.value;
  const focused = desk.focused.value;
  const gridStyle = { "--columns": String(layout.columns), "--rows": String(layout.rows) };
  return html`<section class="wall" ref=${area} aria-label=${t("monitor.wall")} data-size=${layout.size} data-view=${focused ? "focus" : "wall"}>
    ${layout.order.length > 0 && html`<${Strip} desk=${desk} />`}
    ${focused
      ? html`<${Focus} key=${focused} desk=${layout.size ? desk : unmeasured(desk)} id=${focused} place=${places.get(focused) ?? 0} />`
      : layout.size > 0 &&
        html`<div class="grid" style=${gridStyle}>
          ${layout.grid.map((id, at) =>
            id === null
              ? html`<div class="tile tile-empty" key=${`empty ${at}`}></div>`
              : html`<${Tile} key=${id} desk=${desk} id=${id} place=${places.get(id) ?? 0} />`,
          )}
        </div>`}
    ${places.size === 0 && html`<p class="nothing">${t("monitor.no_calls")}</p>`}
  </section>`;
}

/** Every call, in order, in every layout: a live cell, or a mark for one that the grid shows. @param {{ desk: Desk }} props */
function Strip({ desk }) {
  const layout = desk.layout.value;
  const { places, calls } = desk.session.board.value;
  const room = desk.room.value;
  const pictures = Math.max(2, ...layout.strip.map((id) => calls.get(id)?.legs.length ?? 2));
  const inStrip = new Set(layout.strip);
  const one = (/** @type {string} */ id) =>
    html`<${inStrip.has(id) ? StripCell : StripMark} key=${id} desk=${desk} id=${id} place=${places.get(id) ?? 0} />`;
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const height = layout.size === 0 ? (bar.current?.offsetHeight ?? 0) : 0;
    document.documentElement.style.setProperty("--strip-height", `${height}px`);
  }, [room, layout.size, layout.order.length, pictures]);
  if (layout.size === 0) {
    const { cellWidth, cellHeight } = rowsOf(room.zoom, pictures);
    const style = { gridTemplateColumns: `repeat(auto-fill, ${cellWidth}px)`, "--cell": `${cellHeight}px` };
    return html`<div class="strip" ref=${bar} role="group" aria-label=${t("monitor.strip")} style=${style}>${layout.order.map(one)}</div>`;
  }
  const strip = stripOf(layout, { ...room, pictures });
  const style = {
    gridTemplateColumns: strip.columns.map((column) => `${column.width}px`).join(" "),
    "--cell": `${strip.cellHeight}px`,
    "--mark": `${strip.markHeight}px`,
  };
  return html`<div class="strip" role="group" aria-label=${t("monitor.strip")} style=${style}>
    ${strip.columns.map((column, at) => html`<div class="strip-column" key=${at}>${column.ids.map(one)}</div>`)}
  </div>`;
}

/**
 * In a small window the strip's cell is what proves a call: the focus may be scrolled away.
 * @param {Desk} desk
 * @returns {Desk}
 */
function unmeasured(desk) {
  return Object.create(desk, { meter: { value: { watch: () => () => {} } } });
}

/**
 * Measure the wall and the window, now and whenever they change.
 * @param {Desk} desk
 * @param {{ current: HTMLElement | null }} area
 */
function useRoom(desk, area) {
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return undefined;
    const measure = () => {
      const style = getComputedStyle(element);
      /** @type {import("../lib/layout.js").Room} */
      const room = {
        width: element.clientWidth - parseFloat(style.paddingLeft) * 2,
        height: element.clientHeight - parseFloat(style.paddingTop) * 2,
        zoom: zoomOf(window),
        view: { width: window.innerWidth, height: window.innerHeight },
      };
      if (JSON.stringify(room) !== JSON.stringify(desk.room.peek())) desk.room.value = room;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    window.addEventListener("resize", measure);
    measure();
    return () => {
      observer.disconnect();
      window.removeEventListener("resize", measure);
    };
  }, []);
}
