// @ts-check
/** Where every call of the wall stands: in the grid, and in the strip that carries every call in every layout. Pure. */

export const CHOICES = /** @type {const} */ ([1, 2, 4, 6, 9, 16]);

/** @typedef {number | "auto"} Choice */
/** @typedef {{ id: string, place: number }} Placed */
/**
 * @typedef {object} Room Of the wall, in CSS pixels.
 * @property {number} width
 * @property {number} height
 * @property {number} zoom Of the page: 2 at 200 %.
 * @property {{ width: number, height: number }} view The window: zoom makes it smaller.
 */
/** @typedef {{ ids: string[], width: number }} Column A column of the strip, with its width in CSS pixels. */

/**
 * @typedef {object} Layout
 * @property {number} size How many tiles the grid has; 0 in a small window.
 * @property {number} columns
 * @property {number} rows
 * @property {number} page Of the grid, from 0.
 * @property {number} pages
 * @property {(string | null)[]} grid Call ids by position; none: an empty place.
 * @property {string[]} strip Every call that the grid does not show, in order of place: live cells.
 * @property {string[]} order Every call, in order of place: the strip has a cell or a mark for each.
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
const GAP = 4; // of the strip
const GRID_GAP = 8;
const LABEL = 44; // of a strip's cell: place and state, beside the pictures
const FRAME = 6; // the border and the gap inside a cell
const CELL_MOST = 96; // in one column; more columns leave the room to the grid
const TILE_LEAST = { width: 200, height: 136 }; // for the words of a tile, in CSS pixels
const ONE_LEAST = { width: 380, height: 300 }; // for one call beside the strip
const AROUND = { width: 320, height: 150 }; // the rail; the bars above and below
const MARK = { least: 24, most: 44 }; // the height of a call that stands in the grid; WCAG 2.5.8 asks for 24

/**
 * Whether a window has no room for one call beside the strip: every call is then a live cell of the strip, which stays in
 * sight while the rest of the page scrolls.
 * @param {Layout} one The layout of one tile.
 * @param {Room} room
 */
function isSmall(one, { view, zoom }) {
  const height = view.height - AROUND.height;
  if (height < ONE_LEAST.height) return true;
  return view.width - AROUND.width - stripWidth(one, { height, zoom }) < ONE_LEAST.width;
}

/**
 * @param {Layout} layout
 * @param {{ height: number, zoom: number }} room
 */
function stripWidth(layout, room) {
  return stripOf(layout, room).columns.reduce((sum, column) => sum + column.width + GAP, 0);
}

/**
 * @param {readonly Placed[]} calls
 * @param {{ choice: Choice, at: string | null, focus: string | null, room?: Room }} view `at` is the call the keyboard is on.
 *   Where `room` is too small for the chosen tiles, there are fewer: the strip has the other calls, live.
 * @returns {Layout}
 */
export function arrange(calls, { choice, at, focus, room }) {
  const inOrder = [...calls].sort((one, other) => one.place - other.place);
  const order = inOrder.map((call) => call.id);
  if (room && isSmall(paged(inOrder, order, 1, at), room)) return { size: 0, columns: 1, rows: 1, page: 0, pages: 1, grid: [], strip: order, order };
  if (focus !== null && order.includes(focus)) {
    return { size: 1, columns: 1, rows: 1, page: 0, pages: 1, grid: [focus], strip: order.filter((id) => id !== focus), order };
  }
  const wanted = choice === "auto" ? smallestFor(inOrder) : choice;
  const fitting = CHOICES.filter((size) => size <= wanted).reverse();
  const layouts = fitting.map((size) => paged(inOrder, order, size, at));
  return layouts.find((layout) => !room || holds(layout, room)) ?? layouts[layouts.length - 1];
}

/**
 * @param {readonly Placed[]} inOrder
 * @param {string[]} order
 * @param {number} size
 * @param {string | null} at
 * @returns {Layout}
 */
function paged(inOrder, order, size, at) {
  const pages = Math.floor((inOrder.at(-1)?.place ?? 0) / size) + 1;
  const page = Math.floor((inOrder.find((call) => call.id === at)?.place ?? 0) / size);
  /** @type {(string | null)[]} */
  const grid = Array(size).fill(null);
  const strip = [];
  for (const { id, place } of inOrder) {
    if (Math.floor(place / size) === page) grid[place % size] = id;
    else strip.push(id);
  }
  const [columns, rows] = SHAPES.get(size) ?? [4, 4];
  return { size, columns, rows, page, pages, grid, strip, order };
}

/**
 * @param {Layout} layout
 * @param {Room} room
 */
function holds(layout, room) {
  const wide = (room.width - stripWidth(layout, room) - (layout.columns - 1) * GRID_GAP) / layout.columns;
  const high = (room.height - (layout.rows - 1) * GRID_GAP) / layout.rows;
  return wide >= TILE_LEAST.width && high >= TILE_LEAST.height;
}

/**
 * The call that begins the page which is `step` further, if there is one with a call on it.
 * @param {Layout} layout
 * @param {readonly Placed[]} calls
 * @param {1 | -1} step
 * @returns {string | null}
 */
export function turned(layout, calls, step) {
  const inOrder = [...calls].sort((one, other) => one.place - other.place);
  const pageOf = (/** @type {Placed} */ call) => Math.floor(call.place / layout.size);
  const beyond = inOrder.filter((call) => (pageOf(call) - layout.page) * step > 0);
  if (!beyond.length) return null;
  const next = step > 0 ? pageOf(beyond[0]) : pageOf(beyond[beyond.length - 1]);
  return beyond.find((call) => pageOf(call) === next)?.id ?? null;
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
 * The strip: every call in order, in as few columns as hold it without scrolling, with every picture big enough to count.
 * A call that stands in the grid has a mark there, the others a live cell.
 * @param {Layout} layout
 * @param {object} room
 * @param {number} room.height Of the strip, in CSS pixels.
 * @param {number} [room.pictures] In a cell, side by side.
 * @param {number} [room.zoom] Of the page: 2 at 200 %. What is big enough on the glass is smaller in CSS pixels then.
 * @returns {{ columns: Column[], cellHeight: number, markHeight: number }}
 */
export function stripOf(layout, { height, pictures = 2, zoom = 1 }) {
  const inStrip = new Set(layout.strip);
  const least = Math.ceil(PICTURE_MIN.height / zoom) + FRAME;
  const heights = { cell: least, mark: MARK.least };
  const fewest = packed(layout.order, inStrip, heights, height).length;
  const grown = { cell: heights.cell, mark: heights.mark };
  for (const kind of /** @type {const} */ (["cell", "mark"])) {
    const most = kind === "mark" ? MARK.most : fewest === 1 ? Math.max(least, CELL_MOST) : least;
    while (grown[kind] < most && packed(layout.order, inStrip, { ...grown, [kind]: grown[kind] + 1 }, height).length === fewest) grown[kind] += 1;
  }
  const picture = Math.max(Math.ceil(PICTURE_MIN.width / zoom), Math.round(((grown.cell - FRAME) * 16) / 9));
  const wide = LABEL + pictures * (picture + 2) + FRAME;
  const columns = packed(layout.order, inStrip, grown, height).map((ids) => ({
    ids,
    width: ids.some((id) => inStrip.has(id)) ? wide : LABEL,
  }));
  return { columns, cellHeight: grown.cell, markHeight: grown.mark };
}

/**
 * The strip of a small window: as wide as the window, live cells in rows, no higher than it must be.
 * @param {number} zoom
 * @param {number} [pictures]
 * @returns {{ cellWidth: number, cellHeight: number }}
 */
export function rowsOf(zoom, pictures = 2) {
  const cellHeight = Math.max(MARK.least, Math.ceil(PICTURE_MIN.height / zoom) + FRAME);
  const picture = Math.ceil(PICTURE_MIN.width / zoom);
  return { cellWidth: MARK.least + 4 + pictures * (picture + 2) + FRAME, cellHeight };
}

/**
 * @param {readonly string[]} order
 * @param {ReadonlySet<string>} inStrip
 * @param {{ cell: number, mark: number }} heights
 * @param {number} height
 * @returns {string[][]} Columns, filled from the top in order.
 */
function packed(order, inStrip, heights, height) {
  /** @type {string[][]} */
  const columns = [];
  let used = Infinity;
  for (const id of order) {
    const own = inStrip.has(id) ? heights.cell : heights.mark;
    if (used + GAP + own > height) {
      columns.push([]);
      used = -GAP;
    }
    columns[columns.length - 1].push(id);
    used += GAP + own;
  }
  return columns;
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
