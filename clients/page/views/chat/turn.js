/** One question of a chat and what the model answered. */

import { askAgain } from '../../chat/chat.js';
import { spoken } from '../../chat/messages.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { failureView } from '../shell/failure.js';

/** @import { Turn } from '../../chat/types.d.ts' */
/** @import { App, State, Strings } from '../../types.d.ts' */

/**
 * @param {Turn} turn
 * @param {State} state
 * @param {App} app
 */
export function turnView({ question, answer, state, failure }, { chat, ...others }, app) {
  const t = app.t();
  const isBusy = state === 'waiting' || state === 'streaming';
  return html`<li class="turn">
    <p class="turn-question"><span class="unseen">${t.chat_you}: </span>${spoken(question)}</p>
    <div class="turn-answer" aria-busy=${isBusy}>
      <span class="unseen">${t.chat_model}: </span>
      ${state === 'waiting' ? html`<p class="soft">${waitText(chat.retryIn, t)}</p>` : nothing}
      ${answer ? html`<p class="model-words">${answer}</p>` : nothing}
      ${state === 'stopped' ? html`<p class="soft small">${t.chat_stopped}</p>` : nothing}
      ${state === 'cut' ? html`<p class="caution small">${t.chat_cut}</p>` : nothing}
      ${failure ? failureView(failure, { chat, ...others }, app) : nothing}
      ${failure ? againButton(app) : nothing}
    </div>
  </li>`;
}

/** @param {number | null} retryIn @param {Strings} t */
function waitText(retryIn, t) {
  return retryIn === null ? t.chat_waiting : t.run_busy({ s: String(retryIn) });
}

/** @param {App} app */
function againButton(app) {
  return html`<button class="button" type="button" @click=${() => askAgain(app)}>
    ${app.t().try_again}
  </button>`;
}
