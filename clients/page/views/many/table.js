/**
 * The table of many clips: a row for each, a hundred at once. The roles are told, as browsers forget
 * those of a table whose style makes cards of it on phones.
 */

import { changeMany, sortBy } from '../../many/batch.js';
import { ROWS_SHOWN, sorted } from '../../many/rows.js';
import { repeat } from '../../vendor/lit-html/directives/repeat.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { rowView } from './row.js';

/** @import { Column, ManyState } from '../../many/types.d.ts' */
/** @import { App, State } from '../../types.d.ts' */

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
