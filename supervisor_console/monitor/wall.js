// @ts-check
/** All calls in sight: the grid of the chosen layout, and a strip with a live cell for every other call. */

import { html } from "htm/preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { t } from "../../web/lib/text.js";
import { stripShape } from "../lib/layout.js";
import { Focus } from "./focus.js";
import { StripCell, Tile } from "./tile.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** @param {{ desk: Desk }} props */
export function Wall({ desk }) {
  const area = useRef(/** @type {HTMLElement | null} */ (null));
  const height = useHeight(area);
  const layout = desk.layout.value;
  const { places, calls } = desk.session.board.value;
  const focused = desk.focused.value;
  const legs = Math.max(2, ...layout.strip.map((id) => calls.get(id)?.legs.length ?? 2));
  const strip = stripShape(layout.strip.length, height - 16, legs);
  const gridStyle = { "--columns": String(layout.columns), "--rows": String(layout.rows) };
  const stripStyle = { width: `${strip.width}px`, "--columns": String(strip.columns), "--cell": `${strip.cellHeight}px` };
  return html`<section class="wall" ref=${area} aria-label=${t("monitor.wall")} data-size=${layout.size} data-view=${focused ? "focus" : "wall"}>
    ${layout.strip.length > 0 &&
    html`<div class="strip" role="group" aria-label=${t("monitor.strip")} style=${stripStyle}>
      ${layout.strip.map((id) => html`<${StripCell} key=${id} desk=${desk} id=${id} place=${places.get(id) ?? 0} />`)}
    </div>`}
    ${focused
      ? html`<${Focus} key=${focused} desk=${desk} id=${focused} place=${places.get(focused) ?? 0} />`
      : html`<div class="grid" style=${gridStyle}>
          ${layout.grid.map((id, at) =>
            id === null
              ? html`<div class="tile tile-empty" key=${`empty ${at}`}></div>`
              : html`<${Tile} key=${id} desk=${desk} id=${id} place=${places.get(id) ?? 0} />`,
          )}
        </div>`}
    ${places.size === 0 && html`<p class="nothing">${t("monitor.no_calls")}</p>`}
  </section>`;
}

/**
 * @param {{ current: HTMLElement | null }} area
 * @returns {number} Its height in CSS pixels, also after the window changed.
 */
function useHeight(area) {
  const [height, setHeight] = useState(600);
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);
  return height;
}
