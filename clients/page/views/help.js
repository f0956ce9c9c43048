/** The view `#/help`: what an answer means, what the law says, and the keys. */

import { html } from '../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function helpView({ server }, app) {
  const t = app.t();
  const made = server.model?.description;
  return html`<article class="prose">
    <h1 tabindex="-1">${t.help_means}</h1>
    <h2>${t.help_made}</h2>
    <p lang=${made ? 'en' : t.tag}>${made ?? t.help_made_unknown}</p>
    <h2>${t.help_reads}</h2>
    <p>${t.help_reads_1}</p>
    <p>${t.help_reads_2}</p>
    <h2>${t.help_faces}</h2>
    <p>${t.help_faces_1}</p>
    <p>${t.help_faces_2}</p>
    <h2>${t.help_law}</h2>
    <p>${t.help_law_1}</p>
    <p>${t.help_law_2}</p>
    <p>${t.help_law_3}</p>
    <p class="soft">${t.help_law_4}</p>
    <h2>${t.help_data}</h2>
    <p>${t.help_data_1}</p>
    <p>${t.help_data_2}</p>
    ${keysView(app)}
    <h2>${t.help_more}</h2>
    <p><a href="docs">${t.help_api}</a></p>
  </article>`;
}

/** @param {App} app */
function keysView(app) {
  const t = app.t();
  /** @type {[keys: string[], does: string][]} */
  const rows = [
    [['Ctrl+Enter'], t.help_keys_send],
    [['Esc'], t.help_keys_cancel],
    [['?'], t.help_keys_help],
    [['←', '→'], t.help_keys_move],
    [['PgUp', 'PgDn', 'Home', 'End'], t.help_keys_far],
    [['Space'], t.help_keys_play],
    [['[', ']'], t.help_keys_change],
    [['F'], t.help_keys_frame],
    [['L'], t.help_keys_loop],
    [[',', '.'], t.help_keys_speed],
    [['+', '−'], t.help_keys_zoom],
  ];
  return html`<h2 id="keys">${t.help_keys}</h2>
    <table class="keys-table">
      <thead>
        <tr><th scope="col">${t.help_key}</th><th scope="col">${t.help_does}</th></tr>
      </thead>
      <tbody>
        ${rows.map(
          ([keys, does]) => html`<tr>
            <td>${keys.map((key) => html`<kbd>${key}</kbd> `)}</td>
            <td>${does}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    <p class="soft small">${t.help_keys_where}</p>`;
}
