/** Dropping files: the whole window takes them, so that a miss does not leave the page. */

import { hashOf } from '../core/route.js';
import { addClips } from '../many/batch.js';
import { dropped } from '../many/files.js';
import { takeFile } from './source.js';

/** @import { App } from '../types.d.ts' */

/**
 * Take what is dropped in the analyse view; that of many clips listens itself.
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
    if (event.dataTransfer && app.store.get().route === 'analyse') {
      take(app, event.dataTransfer);
    }
  });
}

/**
 * Take one file as the clip; several, or a folder, are a batch.
 *
 * @param {App} app
 * @param {DataTransfer} transfer
 */
async function take(app, transfer) {
  const [file, ...others] = transfer.files;
  if (others.length > 0 || transfer.items[0]?.webkitGetAsEntry()?.isDirectory) {
    addClips(app, await dropped(transfer));
    location.hash = hashOf('many');
  } else if (file) {
    takeFile(app, file);
  }
}
