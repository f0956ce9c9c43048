/** Leaving the page: the browser asks first where results would be lost. */

/** @import { App, State } from '../types.d.ts' */

/** @param {App} app */
export function installUnsaved(app) {
  window.addEventListener('beforeunload', (event) => {
    if (hasUnsaved(app.store.get())) {
      event.preventDefault();
    }
  });
}

/**
 * Say whether live mode or a batch has results that have not been saved, or is about to have some.
 *
 * @param {Pick<State, 'live' | 'many'>} state
 */
export function hasUnsaved({ live, many }) {
  const isRunning = many.rows.some(({ state }) => state !== 'done' && state !== 'failed');
  return isRunning || !many.isSaved || !live.isSaved;
}
