/** Failures in words, with what can be done about them. */

import { megabytes } from '../../core/numbers.js';
import { start } from '../../run.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';

/** @import { App, Failure, State, Strings } from '../../types.d.ts' */

/** The server says these best itself, in English. */
const IN_ITS_WORDS = ['refused', 'server', 'timeout'];

/**
 * A failure in one sentence; `limit` is the most bytes that the server takes.
 *
 * @param {Strings} t
 * @param {Failure} failure
 * @param {number} [limit]
 */
export function failureText(t, failure, limit) {
  const { kind, message = '', bytes, requestId = '' } = failure;
  if (kind === 'too_large') {
    return bytes && limit
      ? t.failure_too_large({ a: megabytes(bytes), b: megabytes(limit) })
      : message;
  }
  if (kind === 'server') {
    return requestId ? t.failure_server({ id: requestId }) : t.failure_server_unnamed;
  }
  return kind === 'refused' ? message : t[`failure_${kind}`];
}

/**
 * An alert with a failure's words.
 *
 * @param {Failure} failure
 * @param {State} state
 * @param {App} app
 */
export function failureView(failure, { server }, app) {
  const t = app.t();
  const { kind, message, requestId } = failure;
  const limit = server.model?.limits?.clip_bytes;
  const lang = kind === 'refused' || (kind === 'too_large' && !failure.bytes) ? 'en' : undefined;
  return html`<div class="trouble failure" role="alert">
    <p lang=${lang ?? nothing}>${failureText(t, failure, limit)}</p>
    ${
      IN_ITS_WORDS.includes(kind) && kind !== 'refused' && message
        ? html`<p class="small" lang="en">${message}</p>`
        : nothing
    }
    ${kind === 'server' && requestId ? copyId(requestId, app) : nothing}
  </div>`;
}

/** @param {App} app */
export function tryAgainButton(app) {
  return html`<button id="try-again" class="button" type="button" @click=${() => start(app)}>
    ${app.t().try_again}
  </button>`;
}

/** @param {string} requestId @param {App} app */
function copyId(requestId, app) {
  const t = app.t();
  const copy = async () => {
    await navigator.clipboard.writeText(requestId);
    app.announce(t.copied);
  };
  return html`<button class="button button-quiet" type="button" @click=${copy}>${t.copy}</button>`;
}
