/** What the timeline of the analyse view shows, and the cells that it is drawn in. */

import { shownOf } from '../run.js';
import { cellsOf } from './layout.js';

/** @import { State, TimelineArgs } from '../types.d.ts' */
/** @import { Cell } from './layout.js' */

/**
 * Return the timeline of the run, or null if nothing of one has come.
 *
 * @param {Pick<State, 'run' | 'duration'>} state
 * @returns {TimelineArgs | null}
 */
export function argsOf({ run, duration }) {
  const shown = shownOf(run);
  const last = shown?.windows.at(-1);
  if (!shown || !last) {
    return null;
  }
  const { timeline } = shown.asked.options;
  const step = typeof timeline === 'object' && 'step' in timeline ? timeline.step : undefined;
  return {
    windows: shown.windows,
    // The server knows best how long the clip is, once it has come to its end.
    duration: shown.isComplete ? last.end : Math.max(duration ?? 0, last.end),
    labels: Object.keys(last.probabilities),
    step,
    isComplete: shown.isComplete,
    frameTime: shown.answer?.evidence.frame_time ?? null,
  };
}

/** @type {WeakMap<readonly object[], {duration: number, cells: Cell[]}>} */
const known = new WeakMap();

/**
 * Return the cells of a timeline; they are laid out once as long as its windows stay the same.
 *
 * @param {TimelineArgs} args
 */
export function cellsFor({ windows, step, duration }) {
  const before = known.get(windows);
  if (before?.duration === duration) {
    return before.cells;
  }
  const cells = cellsOf(windows, { step, duration });
  known.set(windows, { duration, cells });
  return cells;
}

/**
 * Return the part of a timeline that is visible.
 *
 * @param {TimelineArgs} args
 * @param {Pick<State, 'timeline'>} state
 */
export function viewOf({ view, duration }, { timeline }) {
  return view ?? timeline.view ?? { from: 0, to: duration };
}
