/** The page: makes the app, and renders once per animation frame what has changed. */

import { installChat } from './chat/chat.js';
import { announce } from './core/announce.js';
import { stringsOf, tagOf } from './core/i18n.js';
import { whenForgotten } from './core/key.js';
import { installKeys } from './core/keys.js';
import { installRoutes } from './core/route.js';
import { initialState } from './core/state.js';
import { createStore } from './core/store.js';
import { titleOf } from './core/title.js';
import { installUnsaved } from './core/unsaved.js';
import { installJobs } from './jobs/jobs.js';
import { installLive } from './live/live.js';
import { installMany } from './many/batch.js';
import { installDrop } from './media/drop.js';
import { installPlayer } from './media/video.js';
import { createClient } from './net/api.js';
import { createSlots } from './net/slots.js';
import { installRecord } from './record/record.js';
import { checkServer } from './server.js';
import { render } from './vendor/lit-html/lit-html.js';
import { shellView } from './views/shell/shell.js';

/** @import { App } from './types.d.ts' */

/** Of the six connections that a browser opens to a host. */
const REQUESTS_AT_ONCE = 4;

const store = createStore(initialState());
/** @type {App} */
const app = {
  store,
  t: () => stringsOf(store.get().settings.language),
  client: createClient,
  announce,
  slots: createSlots(REQUESTS_AT_ONCE),
};

function show() {
  const state = store.get();
  const root = document.documentElement;
  root.lang = tagOf(state.settings.language);
  root.dataset.theme = state.settings.theme;
  document.title = titleOf(state, app.t());
  render(shellView(state, app), /** @type {HTMLElement} */ (document.getElementById('app')));
}

let isDue = false;
store.subscribe(() => {
  if (!isDue) {
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      show();
    });
  }
});

const PARTS = [installRoutes, installKeys, installDrop, installPlayer, installUnsaved];
for (const install of [
  ...PARTS,
  installRecord,
  installLive,
  installMany,
  installJobs,
  installChat,
]) {
  install(app);
}
whenForgotten(() => checkServer(app));
show();
checkServer(app);
