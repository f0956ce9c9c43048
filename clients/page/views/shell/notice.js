/** The notice: what this model is, in every view and never to be closed. */

import { html, nothing } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function noticeView({ server }, app) {
  const t = app.t();
  const words = server.model?.description;
  if (!words) {
    return nothing;
  }
  return html`<div class="notice" role="note" aria-label=${t.notice_name}>
    <span lang="en">${words}</span>
    <a href="#/help">${t.notice_more}</a>
  </div>`;
}
