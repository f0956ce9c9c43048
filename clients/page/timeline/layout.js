/** Lays a timeline out: from windows to cells, runs and lanes. Pure. */

/** @import { Span, TimelineWindow } from '../types.d.ts' */

/**
 * The part of the clip in which a window is drawn: around its centre.
 *
 * @typedef {Span & {window: TimelineWindow}} Cell
 */

/** At most so many lanes; more labels are drawn as one in the last. */
export const MOST_LANES = 8;

/**
 * Return the cell of each window. Windows that overlap share the time between their centres; the
 * first and the last keep what is theirs alone, and nothing is drawn outside its window.
 *
 * @param {readonly TimelineWindow[]} windows sorted by `start`
 * @param {object} [how]
 * @param {number} [how.step] seconds from window to window: while some are missing, their
 *   neighbours leave room for them
 * @param {number} [how.duration] of the clip
 * @returns {Cell[]}
 */
export function cellsOf(windows, { step = Number.POSITIVE_INFINITY, duration } = {}) {
  return windows.map((window, index) => {
    const [before, after] = [windows[index - 1], windows[index + 1]];
    const centre = centreOf(window);
    const isLast = !after && (duration === undefined || window.end >= duration - 0.001);
    const left = window.start === 0 ? 0 : Math.max(window.start, centre - step / 2);
    const right = isLast ? window.end : Math.min(window.end, centre + step / 2);
    return {
      from: before ? Math.max(left, (centreOf(before) + centre) / 2) : left,
      to: after ? Math.min(right, (centre + centreOf(after)) / 2) : right,
      window,
    };
  });
}

/** @param {TimelineWindow} window */
export function centreOf({ start, end }) {
  return (start + end) / 2;
}

/**
 * Return the index of the cell at a time; -1 if there is none.
 *
 * @param {readonly Span[]} cells sorted
 * @param {number} time
 */
export function cellAt(cells, time) {
  let [low, high] = [0, cells.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { from, to } = /** @type {Span} */ (cells[middle]);
    if (time < from) {
      high = middle - 1;
    } else if (time >= to && !(middle === cells.length - 1 && time === to)) {
      low = middle + 1;
    } else {
      return middle;
    }
  }
  return -1;
}

/**
 * Return the stretches in which the same label leads, without a gap.
 *
 * @param {readonly Cell[]} cells
 * @returns {(Span & {label: string})[]}
 */
export function runsOf(cells) {
  /** @type {(Span & {label: string})[]} */
  const runs = [];
  for (const { from, to, window } of cells) {
    const last = runs.at(-1);
    if (last && last.label === window.emotion && from - last.to < 0.001) {
      last.to = to;
    } else {
      runs.push({ from, to, label: window.emotion });
    }
  }
  return runs;
}

/**
 * A lane shows the share of one label, or of the rest together.
 *
 * @typedef {{label: string | null, count: number, share: (window: TimelineWindow) => number}} Lane
 */

/**
 * Return a lane for each label; of many labels those with the highest mean, then one for the rest.
 * They keep the order of the labels, so that a label stays where it is while windows come.
 *
 * @param {readonly TimelineWindow[]} windows
 * @param {readonly string[]} labels
 * @returns {Lane[]}
 */
export function lanesOf(windows, labels) {
  if (labels.length <= MOST_LANES) {
    return labels.map(laneOf);
  }
  const sums = new Map(labels.map((label) => [label, sumOf(windows, label)]));
  const byMean = labels.toSorted((a, b) => (sums.get(b) ?? 0) - (sums.get(a) ?? 0));
  const shown = new Set(byMean.slice(0, MOST_LANES - 1));
  const lanes = labels.filter((label) => shown.has(label)).map(laneOf);
  const rest = labels.filter((label) => !shown.has(label));
  const share = (/** @type {TimelineWindow} */ window) =>
    rest.reduce((sum, label) => sum + (window.probabilities[label] ?? 0), 0);
  return [...lanes, { label: null, count: rest.length, share }];
}

/**
 * @param {string} label
 * @returns {Lane}
 */
function laneOf(label) {
  return { label, count: 1, share: (window) => window.probabilities[label] ?? 0 };
}

/**
 * @param {readonly TimelineWindow[]} windows
 * @param {string} label
 */
function sumOf(windows, label) {
  return windows.reduce((sum, window) => sum + (window.probabilities[label] ?? 0), 0);
}

/**
 * Return the outline of a lane as the `d` of an SVG path: as high as the shares, flat in each cell.
 *
 * @param {readonly Cell[]} cells
 * @param {Lane} lane
 * @param {(time: number) => number} x
 * @param {number} height in pixels; the outline stands on it
 */
export function outlineOf(cells, lane, x, height) {
  let path = '';
  let end = Number.NaN;
  for (const { from, to, window } of cells) {
    const y = round(height * (1 - lane.share(window)));
    if (!(Math.abs(from - end) < 0.001)) {
      path += `${path && `V${height}Z`}M${round(x(from))} ${height}`;
    }
    path += `V${y}H${round(x(to))}`;
    end = to;
  }
  return path && `${path}V${height}Z`;
}

/**
 * Return the cells in which the label of a lane leads; they are drawn stronger.
 *
 * @param {readonly Cell[]} cells
 * @param {Lane} lane
 */
export function leading(cells, { label }) {
  return cells.filter((cell) => cell.window.emotion === label);
}

/** @param {number} pixels */
function round(pixels) {
  return Math.round(pixels * 100) / 100;
}
