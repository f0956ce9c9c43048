/** The view `#/many`: clips are added, and go through one by one. */

import { addClips, batch, changeMany } from '../../many/batch.js';
import { chosen } from '../../many/files.js';
import { countsOf, timeLeft } from '../../many/rows.js';
import { live } from '../../vendor/lit-html/directives/live.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { batchExport } from './export.js';
import { tableView } from './table.js';

/** @import { App, State } from '../../types.d.ts' */

/** Seconds from which on a time is told in minutes. */
const MINUTES = 90;

/**
 * @param {State} state
 * @param {App} app
 */
export function manyView(state, app) {
  const t = app.t();
  const { rows } = state.many;
  return html`
    <div class="page-head">
      <h1 tabindex="-1">${t.many_title}</h1>
      <p class="soft">${t.many_lead}</p>
      ${
        state.server.model?.sources?.files
          ? html`<p><a href="#/jobs">${t.nav_jobs}</a></p>`
          : nothing
      }
    </div>
    <div class="stack">
      ${addView(state, app)}
      ${
        rows.length === 0
          ? html`<p class="drop many-empty">${t.many_empty}</p>`
          : html`<section class="card stack" aria-label=${t.many_caption}>
            ${progressView(state, app)} ${holdView(state, app)} ${tableView(state, app)}
            ${batchExport(state, app)}
          </section>`
      }
    </div>`;
}

/** @param {State} state @param {App} app */
function addView({ many }, app) {
  const t = app.t();
  const change = (/** @type {Event & {target: HTMLInputElement}} */ { target }) =>
    changeMany(app, { isExplained: target.checked });
  return html`
    <div class="row many-add">
      ${addButton(t.many_add, false, app)} ${addButton(t.many_add_folder, true, app)}
      <label class="check">
        <input type="checkbox" .checked=${live(many.isExplained)} @change=${change} />
        <span>${t.many_explained}</span>
      </label>
    </div>
    ${many.leftOut > 0 ? html`<p class="caution small">${t.many_left_out({ n: many.leftOut })}</p>` : nothing}
    <p class="soft small">${t.many_form} ${t.sent_where}</p>`;
}

/**
 * @param {string} words
 * @param {boolean} isFolder
 * @param {App} app
 */
function addButton(words, isFolder, app) {
  const add = (/** @type {Event & {target: HTMLInputElement}} */ { target }) => {
    addClips(app, chosen(target.files ?? []));
    target.value = '';
  };
  const open = (/** @type {Event} */ { currentTarget }) =>
    /** @type {HTMLElement} */ (/** @type {Element} */ (currentTarget).nextElementSibling).click();
  return html`<button class="button ${isFolder ? '' : 'button-primary'}" type="button" @click=${open}>
      ${words}
    </button>
    <input id=${isFolder ? 'folder' : 'files'} type="file" multiple hidden
      ?webkitdirectory=${isFolder} @change=${add} />`;
}

/** @param {State} state @param {App} app */
function progressView({ many, settings }, app) {
  const t = app.t();
  const { done, failed, all, ended } = countsOf(many.rows);
  const left = many.hold ? null : timeLeft(many.rows, settings.clipsAtOnce);
  const words = [
    t.many_done({ done, all }),
    ...(failed > 0 ? [t.many_failed({ n: failed })] : []),
    ...(left === null ? [] : [leftText(left, app)]),
  ];
  return html`<div class="row many-head">
      <p class="many-counts">${words.join(' · ')}</p>
      ${ended < all ? pauseButton(many.hold !== null, app) : nothing}
      ${
        failed > 0
          ? html`<button class="button" type="button" @click=${() => batch.retryFailed()}>
            ${t.many_retry_failed}
          </button>`
          : nothing
      }
      <button class="button button-quiet" type="button" @click=${clear}>${t.many_clear}</button>
    </div>
    <progress max=${all} .value=${ended} aria-label=${t.many_progress_label}></progress>`;

  function clear() {
    if (many.isSaved || confirm(t.many_clear_sure)) {
      batch.clear();
    }
  }
}

/** @param {boolean} isHeld @param {App} app */
function pauseButton(isHeld, app) {
  const t = app.t();
  return html`<button class="button" type="button"
    @click=${() => (isHeld ? batch.resume() : batch.pause())}>
    ${isHeld ? t.many_resume : t.many_pause}
  </button>`;
}

/** @param {number} seconds @param {App} app */
function leftText(seconds, app) {
  const t = app.t();
  return seconds < MINUTES
    ? t.many_seconds_left({ n: Math.max(1, Math.round(seconds)) })
    : t.many_minutes_left({ n: Math.round(seconds / 60) });
}

/** @param {State} state @param {App} app */
function holdView({ many }, app) {
  const t = app.t();
  const { hold } = many;
  if (!hold || hold.reason === 'paused') {
    return hold ? html`<p class="soft">${t.many_paused}</p>` : nothing;
  }
  const s = String(hold.seconds ?? 0);
  const waiting = { busy: t.run_busy, rate: t.run_rate, offline: t.many_offline };
  const stopped = { busy: t.many_still_busy, rate: t.many_still_rate, offline: t.failure_offline };
  if (hold.reason === 'key') {
    return html`<p class="trouble failure" role="alert">
      ${t.failure_key_missing} <a href="#/settings">${t.many_to_key}</a>
    </p>`;
  }
  return hold.seconds === null
    ? html`<p class="trouble failure" role="alert">${stopped[hold.reason]}</p>`
    : html`<p class="caution">${waiting[hold.reason]({ s })}</p>`;
}
