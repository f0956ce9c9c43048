/**
 * The table of many clips: a row for each, a hundred at once. The roles are told, as browsers forget
 * those of a table whose style makes cards of it on phones.
 */

import { labelText } from '../core/labels.js';
import { megabytes, percent, ranked } from '../core/numbers.js';
import { secondsText } from '../core/time.js';
import { batch, changeMany, openRow, sortBy } from '../many/batch.js';
import { noteOf, ROWS_SHOWN, sorted } from '../many/rows.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { failureText } from './failure.js';
import { swatch } from './patterns.js';

/** @import { Column, ManyState, Row } from '../many/types.d.ts' */
/** @import { App, State } from '../types.d.ts' */

/** @type {Column[]} */
const COLUMNS = ['name', 'state', 'label', 'share', 'second', 'frame', 'sound', 'note'];

/**
 * @param {State} state
 * @param {App} app
 */
export function tableView({ many, server }, app) {
  const t = app.t();
  const from = many.page * ROWS_SHOWN;
  const rows = sorted(many.rows, many.sort).slice(from, from + ROWS_SHOWN);
  const limit = server.model?.limits?.clip_bytes;
  return html`<div class="many-scroll">
      <table class="many" role="table">
        <caption class="unseen">${t.many_caption}</caption>
        <thead>
          <tr role="row">
            ${COLUMNS.map((column) => headView(column, many, app))}
            <th scope="col" role="columnheader">${t.many_actions}</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            rows,
            ({ id }) => id,
            (row) => rowView(row, limit, app),
          )}
        </tbody>
      </table>
    </div>
    ${many.rows.length > ROWS_SHOWN ? pagesView(many, app) : nothing}`;
}

/**
 * @param {Column} column
 * @param {ManyState} many
 * @param {App} app
 */
function headView(column, { sort }, app) {
  const isBy = sort?.by === column;
  const order = isBy ? (sort.isDescending ? 'descending' : 'ascending') : 'none';
  return html`<th scope="col" role="columnheader" aria-sort=${order}>
    <button class="sort" type="button" @click=${() => sortBy(app, column)}>
      ${app.t()[`many_${column}`]}<span class="sort-arrow" aria-hidden="true"></span>
    </button>
  </th>`;
}

/**
 * @param {Row} row
 * @param {number | undefined} limit - The most bytes that the server takes.
 * @param {App} app
 */
function rowView(row, limit, app) {
  const t = app.t();
  const { name, answer, failure } = row;
  const [, second] = answer ? ranked(answer.probabilities) : [];
  const evidence = answer?.evidence;
  const sound =
    evidence && (evidence.has_audio ? seconds(evidence.audio_seconds) : t.many_no_sound);
  return html`<tr class="many-${row.state}" role="row">
    <th scope="row" role="rowheader">${name}</th>
    ${cell('state', stateView(row, app))}
    ${cell('label', answer && html`${swatch(answer.emotion)} ${labelText(t, answer.emotion)}`)}
    ${cell('share', answer && percent(t, answer.confidence))}
    ${cell('second', second && `${labelText(t, second[0])} ${percent(t, second[1])}`)}
    ${cell('frame', evidence && seconds(evidence.frame_time))}
    ${cell('sound', sound)}
    ${cell('note', failure ? failureText(t, failure, limit) : noteOf(row))}
    <td class="many-actions" role="cell">${actionsView(row, app)}</td>
  </tr>`;

  /** @param {number} time */
  function seconds(time) {
    return secondsText(t, time, 2);
  }

  /** @param {Column} column @param {unknown} content */
  function cell(column, content) {
    return html`<td class="many-${column}" role="cell" data-name=${t[`many_${column}`]}>${content || nothing}</td>`;
  }
}

/** @param {Row} row @param {App} app */
function stateView({ state, sent, total }, app) {
  const t = app.t();
  const words = {
    waiting: t.many_waiting,
    sending: t.many_sending({ sent: megabytes(sent), total: megabytes(total) }),
    reading: t.many_reading,
    done: t.many_done_state,
    failed: t.many_failed_state,
  };
  return words[state];
}

/** @param {Row} row @param {App} app */
function actionsView(row, app) {
  const t = app.t();
  return html`
    ${row.state === 'done' ? button(t.many_open, () => openRow(app, row)) : nothing}
    ${row.state === 'failed' ? button(t.many_retry, () => batch.retry(row.id)) : nothing}
    ${button(t.many_remove, () => batch.remove(row.id))}`;

  /** @param {string} action @param {() => void} act */
  function button(action, act) {
    return html`<button class="button button-quiet" type="button"
      aria-label=${t.many_of({ action, name: row.name })} @click=${act}>${action}</button>`;
  }
}

/** @param {ManyState} many @param {App} app */
function pagesView({ rows, page }, app) {
  const t = app.t();
  const last = Math.ceil(rows.length / ROWS_SHOWN) - 1;
  const [from, to] = [page * ROWS_SHOWN + 1, Math.min((page + 1) * ROWS_SHOWN, rows.length)];
  const turn = (/** @type {number} */ by) => () => changeMany(app, { page: page + by });
  return html`<div class="row">
    <button class="button" type="button" ?disabled=${page === 0} @click=${turn(-1)}>
      ${t.many_previous}
    </button>
    <span class="small soft">${t.many_rows({ from, to, all: rows.length })}</span>
    <button class="button" type="button" ?disabled=${page >= last} @click=${turn(1)}>
      ${t.many_next}
    </button>
  </div>`;
}
