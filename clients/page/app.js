/** The page: makes the app, and renders once per animation frame what has changed. */

import { announce } from './core/announce.js';
import { stringsOf, tagOf } from './core/i18n.js';
import { followRoutes } from './core/route.js';
import { initialState } from './core/state.js';
import { createStore } from './core/store.js';
import { createClient } from './net/api.js';
import { createSlots } from './net/slots.js';
import { render } from './vendor/lit-html/lit-html.js';
import { shellView } from './views/shell.js';

/** @import { App, State } from './types.d.ts' */

const store = createStore(initialState());
/** @type {App} */
const app = {
  store,
  t: () => stringsOf(store.get().settings.language),
  client: createClient,
  announce,
  slots: createSlots(4),
};

/** @param {State} state */
function show(state) {
  const { language, theme } = state.settings;
  const root = document.documentElement;
  root.lang = tagOf(language);
  root.dataset.theme = theme;
  document.title = `${app.t()[`nav_${state.route}`]} · Emotion-LLaMA`;
  render(shellView(state, app), /** @type {HTMLElement} */ (document.getElementById('app')));
}

let isDue = false;
store.subscribe(() => {
  if (!isDue) {
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      show(store.get());
    });
  }
});
followRoutes(app);
show(store.get());
