/** Runs: one analysis of the chosen clip, from sending to done. */

/** @import { App, Run, Shown } from './types.d.ts' */

/** @param {App} _app */
export function cancel(_app) {}

/** @param {App} _app */
export async function start(_app) {}

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
  if (!('partial' in run) || !run.partial) {
    return null;
  }
  const { asked, partial } = run;
  return { asked, isComplete: false, answer: null, ...partial };
}
