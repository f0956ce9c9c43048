/** Keys that work anywhere: Ctrl+Enter asks, Esc gives up, ? helps. */

import { cancel, isRunning } from '../run.js';
import { hashOf } from './route.js';

/** @import { App } from '../types.d.ts' */

/** @param {App} app */
export function installKeys(app) {
  document.addEventListener('keydown', (event) => {
    const { route, run, settings } = app.store.get();
    const isAnalyse = route === 'analyse';
    const isDialog = document.querySelector('dialog[open]') !== null;
    if (event.defaultPrevented || isDialog) {
      return;
    }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && isAnalyse) {
      submit(event.target);
    } else if (event.key === 'Escape' && isAnalyse && isRunning(run)) {
      cancel(app);
    } else if (event.key === '?' && settings.singleKeys && !isWriting(event.target)) {
      location.hash = hashOf('help');
    }
  });
}

/**
 * Send the form. What a field holds counts though it has not been left.
 *
 * @param {EventTarget | null} target
 */
function submit(target) {
  const form = document.querySelector('form.ask');
  if (form instanceof HTMLFormElement) {
    target?.dispatchEvent(new Event('change', { bubbles: true }));
    form.requestSubmit();
  }
}

/** @param {EventTarget | null} target */
function isWriting(target) {
  return target instanceof Element && target.matches('input, textarea, select');
}
