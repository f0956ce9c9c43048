/** How far a run is: sending, waiting, answering, or counting down to the next attempt. */

import { megabytes } from '../../core/numbers.js';
import { expectedWindows } from '../../core/windows.js';
import { cancel, retryNow } from '../../run.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { failureView, tryAgainButton } from '../shell/failure.js';

/** @import { App, Run, State } from '../../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function progressView(state, app) {
  const t = app.t();
  const { run } = state;
  switch (run.kind) {
    case 'sending':
      return running(
        t.run_sending({ a: megabytes(run.sent), b: megabytes(run.total) }),
        html`<progress max=${run.total} .value=${run.sent} aria-label=${t.run_upload}></progress>`,
        app,
      );
    case 'waiting':
      return running(t.run_waiting, html`<progress aria-label=${t.run_waiting}></progress>`, app);
    case 'streaming':
      return running(streamingText(run, state, app), streamingBar(run, state, app), app);
    case 'retrying':
      return running(t[`run_${run.reason}`]({ s: String(run.seconds) }), nothing, app);
    case 'cancelled':
      return html`<div class="ended"><p>${run.partial ? t.run_cancelled : t.run_cancelled_empty}</p>
        ${tryAgainButton(app)}</div>`;
    case 'failed':
      return html`<div class="ended">
        ${failureView(run.failure, state, app)} ${tryAgainButton(app)}
      </div>`;
    default:
      return nothing;
  }
}

/**
 * @param {string} words
 * @param {unknown} bar
 * @param {App} app
 */
function running(words, bar, app) {
  const t = app.t();
  const isPause = bar === nothing;
  return html`<div class="progress">
    <p>${words}</p>
    <div class="row">
      ${
        isPause
          ? html`<button class="button" type="button" @click=${retryNow}>${t.run_now}</button>`
          : nothing
      }
      <button class="button" type="button" @click=${() => cancel(app)}>${t.cancel}</button>
    </div>
    ${bar}
  </div>`;
}

/**
 * @param {Extract<Run, {kind: 'streaming'}>} run
 * @param {State} state
 * @param {App} app
 */
function streamingText(run, state, app) {
  const t = app.t();
  const most = expected(run, state);
  return most === null
    ? t.run_streaming
    : t.run_windows({ n: String(run.partial.windows.length), m: String(most) });
}

/**
 * @param {Extract<Run, {kind: 'streaming'}>} run
 * @param {State} state
 * @param {App} app
 */
function streamingBar(run, state, app) {
  const most = expected(run, state);
  const name = app.t().run_streaming;
  return most === null
    ? html`<progress aria-label=${name}></progress>`
    : html`<progress max=${most} .value=${run.partial.windows.length} aria-label=${name}></progress>`;
}

/**
 * How many windows are to come in all; null without a timeline or a known length.
 *
 * @param {Extract<Run, {kind: 'streaming'}>} run
 * @param {State} state
 */
function expected({ asked }, { duration }) {
  const timeline = /** @type {{window: number, step: number} | undefined} */ (
    asked.options.timeline
  );
  return timeline && duration ? expectedWindows(duration, timeline.window, timeline.step) : null;
}
