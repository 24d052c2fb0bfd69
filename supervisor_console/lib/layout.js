// @ts-check
/** Where every call of the wall stands: in the grid, or in the strip that every layout carries. Pure. */

export const CHOICES = /** @type {const} */ ([1, 2, 4, 6, 9, 16]);

/** @typedef {number | "auto"} Choice */
/** @typedef {{ id: string, place: number }} Placed */

/**
 * @typedef {object} Layout
 * @property {number} size How many tiles the grid has.
 * @property {number} columns
 * @property {number} rows
 * @property {(string | null)[]} grid Call ids by position; none: an empty place.
 * @property {string[]} strip Every call that the grid does not show, in order of place.
 */

const SHAPES = new Map([
  [1, [1, 1]],
  [2, [2, 1]],
  [4, [2, 2]],
  [6, [3, 2]],
  [9, [3, 3]],
  [16, [4, 4]],
]);

/** A picture counts as displayed from this size (policy `shown_min_width`, `shown_min_height`), with a pixel to spare. */
const PICTURE_MIN = { width: 97, height: 55 };
const GAP = 6;
const LABEL = 44; // of a strip's cell: place and state, beside the pictures
const FRAME = 6; // the border and the gap inside a cell

/**
 * @param {readonly Placed[]} calls
 * @param {{ choice: Choice, at: string | null, focus: string | null }} view `at` is the call the keyboard is on.
 * @returns {Layout}
 */
export function arrange(calls, { choice, at, focus }) {
  const inOrder = [...calls].sort((one, other) => one.place - other.place);
  if (focus !== null && inOrder.some((call) => call.id === focus)) {
    return { size: 1, columns: 1, rows: 1, grid: [focus], strip: inOrder.map((call) => call.id).filter((id) => id !== focus) };
  }
  const size = choice === "auto" ? smallestFor(inOrder) : choice;
  const page = Math.floor((inOrder.find((call) => call.id === at)?.place ?? 0) / size);
  /** @type {(string | null)[]} */
  const grid = Array(size).fill(null);
  const strip = [];
  for (const { id, place } of inOrder) {
    if (Math.floor(place / size) === page) grid[place % size] = id;
    else strip.push(id);
  }
  const [columns, rows] = SHAPES.get(size) ?? [4, 4];
  return { size, columns, rows, grid, strip };
}

/**
 * The smallest layout that shows every call in its place; 16 where none does.
 * @param {readonly Placed[]} calls
 * @returns {number}
 */
export function smallestFor(calls) {
  const last = Math.max(0, ...calls.map((call) => call.place));
  return CHOICES.find((size) => size > last) ?? 16;
}

/**
 * The strip's cells: as many columns as it takes for every picture to be big enough to count.
 * @param {number} cells
 * @param {number} height Of the strip, in CSS pixels.
 * @param {number} [pictures] In a cell, side by side.
 * @returns {{ columns: number, width: number, cellHeight: number }}
 */
export function stripShape(cells, height, pictures = 2) {
  const least = PICTURE_MIN.height + FRAME;
  let columns = 1;
  while (columns < cells && rowHeight(cells, columns, height) < least) columns += 1;
  const cellHeight = Math.max(least, Math.min(96, rowHeight(cells, columns, height)));
  const picture = Math.max(PICTURE_MIN.width, Math.round(((cellHeight - FRAME) * 16) / 9));
  const cell = LABEL + pictures * (picture + 2) + FRAME;
  return { columns, width: columns * cell + (columns - 1) * GAP, cellHeight };
}

/**
 * @param {number} cells
 * @param {number} columns
 * @param {number} height
 */
function rowHeight(cells, columns, height) {
  const rows = Math.max(1, Math.ceil(cells / columns));
  return Math.floor((height - (rows - 1) * GAP) / rows);
}

/**
 * The call that an arrow leads to: within the grid by its columns, then through the strip; the edge holds.
 * @param {Layout} layout
 * @param {string | null} at
 * @param {"left" | "right" | "up" | "down"} way
 * @returns {string | null}
 */
export function neighbour(layout, at, way) {
  const order = [...layout.grid.filter((id) => id !== null), ...layout.strip];
  if (!order.length) return null;
  if (at === null || !order.includes(at)) return order[0];
  const cell = layout.grid.indexOf(at);
  const step = { left: -1, right: 1, up: -layout.columns, down: layout.columns }[way];
  if (cell >= 0 && layout.grid.length > 1) {
    for (let next = cell + step; next >= 0 && next < layout.grid.length; next += step) {
      const id = layout.grid[next];
      if (id !== null && id !== undefined) return id;
    }
    return way === "right" || way === "down" ? (layout.strip[0] ?? at) : at;
  }
  const next = order.indexOf(at) + (way === "left" || way === "up" ? -1 : 1);
  return order[Math.min(Math.max(next, 0), order.length - 1)];
}
