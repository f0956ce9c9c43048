/** Runs: one analysis of the chosen clip, from sending to done. */

import { askedOptions } from './core/asked.js';
import { focusSoon, showSoon } from './core/focus.js';
import { headline } from './core/numbers.js';
import { hasTooManyWindows } from './core/windows.js';
import { attempt } from './net/attempt.js';
import { whyFailed } from './net/failures.js';
import { withRetries } from './net/retry.js';
import { checkServer } from './server.js';

/** @import { App, Asked, PartialAnswer, Run, Shown, State } from './types.d.ts' */

/** Of the run that is under way, or of the last one. */
let controller = new AbortController();

/** Ends the pause before the next attempt. */
let endPause = () => {};

/**
 * Ask about the chosen clip as the form says.
 *
 * @param {App} app
 */
export async function start(app) {
  const { clip } = app.store.get();
  if (!clip) {
    return;
  }
  controller.abort();
  controller = new AbortController();
  const { signal } = controller;
  const asked = { clip, options: askedOptions(app.store.get()) };
  showSoon('#result');
  try {
    const answer = await withRetries(() => attempt(app, asked, signal), {
      signal,
      mayRetry: () => partialOf(app.store.get().run) === null,
      onPause({ seconds, reason, now }) {
        endPause = now;
        app.store.set({ run: { kind: 'retrying', asked, seconds, reason } });
      },
    });
    if (signal.aborted) {
      return;
    }
    app.store.set({ run: { kind: 'done', asked, answer } });
    app.announce(app.t().run_done({ headline: headline(app.t(), answer.probabilities) }));
  } catch (error) {
    if (!signal.aborted) {
      await fail(app, asked, error, signal);
    }
  }
}

/**
 * Give up what runs; what has come of it stays.
 *
 * @param {App} app
 */
export function cancel(app) {
  const { run } = app.store.get();
  controller.abort();
  if (isRunning(run)) {
    app.store.set({ run: { kind: 'cancelled', asked: run.asked, partial: partialOf(run) } });
    app.announce(app.t().run_cancelled);
    focusSoon('#analyse');
  }
}

/**
 * Whether the form can be sent.
 *
 * @param {State} state
 */
export function canStart(state) {
  return state.clip !== null && !isRunning(state.run) && !hasTooManyWindows(state);
}

/** End the pause before the next attempt. */
export function retryNow() {
  endPause();
}

/**
 * @param {Run} run
 * @returns {run is Extract<Run, {kind: 'sending' | 'waiting' | 'streaming' | 'retrying'}>}
 */
export function isRunning(run) {
  return ['sending', 'waiting', 'streaming', 'retrying'].includes(run.kind);
}

/**
 * What is to be shown of a run: its answer, or what has come of it.
 *
 * @param {Run} run
 * @returns {Shown | null}
 */
export function shownOf(run) {
  if (run.kind === 'done') {
    const { asked, answer } = run;
    const { explanation, timeline } = answer;
    return {
      asked,
      isComplete: true,
      emotion: answer,
      explanation,
      windows: timeline ?? [],
      answer,
    };
  }
  const partial = partialOf(run);
  if (!('asked' in run) || !partial) {
    return null;
  }
  return { asked: run.asked, isComplete: false, answer: null, ...partial };
}

/**
 * @param {Run} run
 * @returns {PartialAnswer | null}
 */
function partialOf(run) {
  return 'partial' in run ? run.partial : null;
}

/**
 * @param {App} app
 * @param {Asked} asked
 * @param {unknown} error
 * @param {AbortSignal} signal
 */
async function fail(app, asked, error, signal) {
  const { run } = app.store.get();
  const partial = partialOf(run);
  const failure = await whyFailed(app, run, error);
  if (signal.aborted) {
    return;
  }
  app.store.set({ run: { kind: 'failed', asked, failure, partial } });
  if (['offline', 'key_missing', 'key_wrong'].includes(failure.kind)) {
    checkServer(app);
  }
  focusSoon(`[data-param="${failure.param ?? ''}"]`, '#try-again');
}
