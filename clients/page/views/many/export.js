/** The buttons that save what was found about many clips. */

import { asJsonLines, batchCsv } from '../../export/batch.js';
import { save } from '../../export/save.js';
import { changeMany } from '../../many/batch.js';
import { sorted } from '../../many/rows.js';
import { html } from '../../vendor/lit-html/lit-html.js';
import { failureText } from '../shell/failure.js';

/** @import { Analysed, App, State } from '../../types.d.ts' */

const FORMS = {
  csv: { name: 'CSV', type: 'text/csv;charset=utf-8', write: batchCsv },
  jsonl: { name: 'JSON Lines', type: 'application/jsonl', write: asJsonLines },
};

/**
 * @param {State} state
 * @param {App} app
 */
export function batchExport({ many, server }, app) {
  const t = app.t();
  const limit = server.model?.limits?.clip_bytes;
  const ended = many.rows.filter(({ state }) => state === 'done' || state === 'failed');
  return html`<div class="row export" role="group" aria-label=${t.many_export}>
    <span class="export-title" aria-hidden="true">${t.many_export}</span>
    ${Object.entries(FORMS).map(
      ([ending, form]) => html`<button class="button" type="button" ?disabled=${ended.length === 0}
        @click=${() => saveAs(ending, form)}>${form.name}</button>`,
    )}
  </div>`;

  /**
   * @param {string} ending
   * @param {(typeof FORMS)['csv']} form
   */
  function saveAs(ending, { type, write }) {
    const name = `clips.emotion.${ending}`;
    save(new Blob([write(analysed())], { type }), name);
    changeMany(app, { isSaved: true });
    app.announce(t.export_saved({ name }));
  }

  /** @returns {Analysed[]} */
  function analysed() {
    return sorted(ended, many.sort).map(({ name, answer, failure }) => ({
      name,
      ...(answer && { response: answer }),
      ...(failure && { error: failure.message ?? failureText(t, failure, limit) }),
    }));
  }
}
