/** One clip of many, as a row of their table. */

import { labelText } from '../../core/labels.js';
import { megabytes, percent, ranked } from '../../core/numbers.js';
import { secondsText } from '../../core/time.js';
import { batch, openRow } from '../../many/batch.js';
import { noteOf } from '../../many/rows.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { failureText } from '../shell/failure.js';
import { swatch } from '../shell/patterns.js';

/** @import { Column, Row } from '../../many/types.d.ts' */
/** @import { App } from '../../types.d.ts' */

/**
 * @param {Row} row
 * @param {number | undefined} limit - The most bytes that the server takes.
 * @param {App} app
 */
export function rowView(row, limit, app) {
  const t = app.t();
  const { name, answer } = row;
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
    ${cell('note', noteView(row, limit, app))}
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

/**
 * @param {Row} row
 * @param {number | undefined} limit
 * @param {App} app
 */
function noteView(row, limit, app) {
  const { failure } = row;
  const text = failure ? failureText(app.t(), failure, limit) : noteOf(row);
  const isServers = !failure || text === failure.message;
  return text && html`<span lang=${isServers ? 'en' : nothing}>${text}</span>`;
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
