/** The view `#/`: one clip, what is asked about it, and what came. */

import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { chatPanel } from './chat/chat.js';
import { recordDialog } from './clip/record.js';
import { anotherView, startView } from './clip/start.js';
import { optionsView } from './question/options.js';
import { resultView } from './result/result.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function analyseView(state, app) {
  const t = app.t();
  return html`
    <div class=${state.clip ? 'unseen' : 'page-head'}>
      <h1 tabindex="-1">${t.analyse_title}</h1>
      <p class="soft">${t.analyse_lead}</p>
    </div>
    <div class="columns columns-analyse ${state.run.kind === 'idle' ? 'columns-empty' : ''}">
      <div class="stack">
        ${startView(state, app)} ${optionsView(state, app)}
        ${state.clip ? anotherView(state, app) : nothing}
      </div>
      <div class="stack">
        ${resultView(state, app)} ${state.clip ? chatPanel(state, app) : nothing}
      </div>
    </div>
    ${recordDialog(state, app)}
  `;
}
