/** The page's title: the view, and before it what is happening. */

import { isRunning, shownOf } from '../run.js';
import { headline } from './numbers.js';

/** @import { State, Strings } from '../types.d.ts' */

/**
 * @param {State} state
 * @param {Strings} t
 */
export function titleOf(state, t) {
  const view = `${t[`nav_${state.route}`]} · Emotion-LLaMA`;
  const happening = state.route === 'analyse' ? happeningOf(state, t) : '';
  return happening ? `${happening} · ${view}` : view;
}

/** @param {State} state @param {Strings} t */
function happeningOf({ run }, t) {
  if (isRunning(run)) {
    return t.run_streaming;
  }
  if (run.kind === 'failed') {
    return t.title_failed;
  }
  const shown = run.kind === 'done' ? shownOf(run) : null;
  return shown?.emotion ? headline(t, shown.emotion.probabilities) : '';
}
