/** Says a timeline in one sentence, and what its drawing means. */

import { shortLabel } from '../core/labels.js';
import { percent } from '../core/numbers.js';
import { secondsText } from '../core/time.js';
import { runsOf } from './layout.js';

/** @import { Strings, TimelineArgs } from '../types.d.ts' */
/** @import { Cell } from './layout.js' */

/** More runs than these are only counted. */
const MOST_RUNS = 8;

/**
 * @param {Strings} t
 * @param {TimelineArgs} args
 * @param {readonly Cell[]} cells
 */
export function summary(t, { duration }, cells) {
  const runs = runsOf(cells);
  const told = runs.slice(0, MOST_RUNS).map(({ label, to }, index) => {
    const name = shortLabel(t, label);
    return index === runs.length - 1
      ? t.timeline_run_last({ label: name })
      : t.timeline_run({ label: name, to: secondsText(t, to) });
  });
  const more = runs.length - told.length;
  return t.timeline_summary({
    duration: secondsText(t, duration),
    count: cells.length,
    runs: [...told, ...(more > 0 ? [t.timeline_runs_more({ count: more })] : [])].join(
      t.list_comma,
    ),
  });
}

/**
 * Return what a reader of the chart should know, a sentence each.
 *
 * @param {Strings} t
 * @param {TimelineArgs} args
 */
export function legend(t, { labels, windows }) {
  const overlaps = windows.some(
    ({ end }, index) => end > (windows[index + 1]?.start ?? end) + 0.001,
  );
  return [
    t.timeline_heights,
    t.timeline_chance({ share: percent(t, 1 / labels.length) }),
    ...(overlaps ? [t.timeline_overlap] : []),
  ];
}
