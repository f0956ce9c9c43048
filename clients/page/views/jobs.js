/** The view `#/jobs`: the batches that the server works on alone, their state and their results. */

import { endingsOf, isOver, mayBeCancelled } from '../jobs/batch.js';
import { cancelJob, refresh, saveResults } from '../jobs/jobs.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { failureView } from './shell/failure.js';

/** @import { Batch } from '../jobs/types.d.ts' */
/** @import { App, State } from '../types.d.ts' */

const FORMS = { csv: 'CSV', jsonl: 'JSON Lines' };

/**
 * @param {State} state
 * @param {App} app
 */
export function jobsView(state, app) {
  const t = app.t();
  const { batches, failure } = state.jobs;
  return html`
    <div class="page-head">
      <h1 tabindex="-1">${t.nav_jobs}</h1>
      <p class="soft">${t.jobs_lead}</p>
      <p class="soft small">${t.jobs_submit} <code>emotion-llama batch submit</code></p>
    </div>
    <div class="stack">
      <div class="row">
        <button class="button" type="button" @click=${() => refresh(app)}>${t.jobs_refresh}</button>
        <a href="#/many">${t.nav_many}</a>
      </div>
      ${failure ? failureView(failure, state, app) : nothing}
      ${batches === null ? nothing : listView(batches, state, app)}
    </div>`;
}

/**
 * @param {Batch[]} batches
 * @param {State} state
 * @param {App} app
 */
function listView(batches, state, app) {
  const t = app.t();
  if (batches.length === 0) {
    return html`<p class="drop many-empty">${t.jobs_empty}</p>`;
  }
  return html`<section class="card stack" aria-label=${t.nav_jobs}>
    <div class="many-scroll">
      <table class="many" role="table">
        <caption class="unseen">${t.nav_jobs}</caption>
        <thead>
          <tr role="row">
            ${[t.jobs_created, t.jobs_state, t.jobs_clips, t.jobs_note, t.jobs_actions].map(
              (name) => html`<th scope="col" role="columnheader">${name}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${repeat(
            batches,
            ({ id }) => id,
            (batch) => rowView(batch, state, app),
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/**
 * @param {Batch} batch
 * @param {State} state
 * @param {App} app
 */
function rowView(batch, { settings }, app) {
  const t = app.t();
  const { id, status, created_at, request_counts: counts } = batch;
  const when = new Date(created_at * 1000);
  const form = /** @type {const} */ ({ dateStyle: 'medium', timeStyle: 'short' });
  const done = counts.completed + counts.failed;
  const words = t.many_done({ done, all: counts.total });
  const failed = counts.failed > 0 ? ` · ${t.many_failed({ n: counts.failed })}` : '';
  return html`<tr role="row">
    <th scope="row" role="rowheader" title=${id}>
      <time datetime=${when.toISOString()}>${when.toLocaleString(settings.language, form)}</time>
    </th>
    <td role="cell">${t[`jobs_${status}`]}</td>
    <td role="cell">
      ${words}${failed}
      ${
        isOver(batch)
          ? nothing
          : html`<progress max=${counts.total || 1} .value=${done}
              aria-label=${t.many_progress_label}></progress>`
      }
    </td>
    <td class="many-note" role="cell">${errorsView(batch)}</td>
    <td class="many-actions" role="cell">${actionsView(batch, when.toLocaleString(), app)}</td>
  </tr>`;
}

/** What is wrong with a failed batch, in the server's words. @param {Batch} batch */
function errorsView({ errors }) {
  const [first] = errors?.data ?? [];
  return first ? html`<span lang="en">${first.message}</span>` : nothing;
}

/**
 * @param {Batch} batch
 * @param {string} name
 * @param {App} app
 */
function actionsView(batch, name, app) {
  const t = app.t();
  return html`
    ${mayBeCancelled(batch) ? button(t.cancel, () => cancelJob(app, batch)) : nothing}
    ${endingsOf(batch).map((ending) => button(FORMS[ending], () => saveResults(app, batch, ending)))}`;

  /** @param {string} action @param {() => void} act */
  function button(action, act) {
    return html`<button class="button button-quiet" type="button"
      aria-label=${t.many_of({ action, name })} @click=${act}>${action}</button>`;
  }
}
