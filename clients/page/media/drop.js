/** Dropping files: the whole window takes them, so that a miss does not leave the page. */

import { takeFile } from './source.js';

/** @import { App } from '../types.d.ts' */

/**
 * Take what is dropped in the analyse view; other views listen themselves.
 *
 * @param {App} app
 */
export function installDrop(app) {
  window.addEventListener('dragover', (event) => {
    event.preventDefault();
    document.documentElement.classList.add('dropping');
  });
  window.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) {
      document.documentElement.classList.remove('dropping');
    }
  });
  window.addEventListener('drop', (event) => {
    event.preventDefault();
    document.documentElement.classList.remove('dropping');
    const [file] = event.dataTransfer?.files ?? [];
    if (file && app.store.get().route === 'analyse') {
      takeFile(app, file);
    }
  });
}
