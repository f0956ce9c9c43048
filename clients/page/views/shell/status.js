/** The server's state: its model's name in the header, and a line while it does not answer. */

import { checkServer } from '../../server.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function serverView({ server }, app) {
  const t = app.t();
  const name = server.kind === 'ready' ? server.model?.id : t[`server_${server.kind}`];
  return html`<span class="server server-${server.kind}">
    <span class="server-light"></span>${name}
  </span>`;
}

/**
 * @param {State} state
 * @param {App} app
 */
export function troubleView({ server }, app) {
  const t = app.t();
  if (server.kind !== 'unreachable' && server.kind !== 'loading') {
    return nothing;
  }
  return html`<div class="trouble" role="alert">
    ${server.kind === 'loading' ? t.server_loading_more : t.failure_offline}
    <button class="button button-quiet" type="button" @click=${() => checkServer(app)}>
      ${t.try_again}
    </button>
  </div>`;
}
