/** The panel that chats about the clip. */

import { ask, askNow, changeChat, newChat, stopAnswer } from '../../chat/chat.js';
import { fitsChat, LARGEST } from '../../chat/clip.js';
import { followEnd } from '../../chat/log.js';
import { megabytes } from '../../core/numbers.js';
import { live } from '../../vendor/lit-html/directives/live.js';
import { ref } from '../../vendor/lit-html/directives/ref.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { turnView } from './turn.js';

/** @import { App, State } from '../../types.d.ts' */

/** What the model was tuned to is said by the tag in front of a question. */
const TAGS = /** @type {const} */ ({
  chat_why: '[reason]',
  chat_face: '[visual]',
  chat_voice: '[audio]',
});

/**
 * @param {State} state
 * @param {App} app
 */
export function chatPanel(state, app) {
  const t = app.t();
  const { clip, chat } = state;
  const toggle = (/** @type {Event} */ { currentTarget }) =>
    changeChat(app, { isOpen: /** @type {HTMLDetailsElement} */ (currentTarget).open });
  return html`<details class="card chat" ?open=${chat.isOpen} @toggle=${toggle}>
    <summary><h2>${t.chat_title}</h2></summary>
    ${
      clip?.kind === 'file' && !fitsChat(clip)
        ? html`<p>${t.chat_too_large({ size: megabytes(clip.file.size), most: megabytes(LARGEST) })}</p>`
        : talkView(state, app)
    }
  </details>`;
}

/** @param {State} state @param {App} app */
function talkView(state, app) {
  const { chat } = state;
  const t = app.t();
  return html`<div class="stack">
    ${
      chat.turns.length > 0
        ? html`<ol class="turns" role="list" tabindex="0" aria-label=${t.chat_log} ${ref(followEnd)}>
          ${chat.turns.map((turn) => turnView(turn, state, app))}
        </ol>`
        : html`<p class="soft small">${t.chat_sends}</p>`
    }
    ${chat.isTooLong ? tooLongView(app) : composerView(state, app)}
  </div>`;
}

/** @param {State} state @param {App} app */
function composerView({ chat }, app) {
  const t = app.t();
  const last = chat.turns.at(-1)?.state;
  const isBusy = last === 'waiting' || last === 'streaming';
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    ask(app, app.store.get().chat.draft); // what was typed since this was drawn counts, too
  };
  return html`
    ${isBusy ? nothing : suggestionsView(app)}
    <form class="composer" @submit=${send} @keydown=${onKey}>
      <label class="unseen" for="chat-question">${t.chat_question}</label>
      <textarea id="chat-question" rows="2" placeholder=${t.chat_placeholder}
        .value=${live(chat.draft)} @input=${draft}></textarea>
      <div class="row">
        ${
          isBusy
            ? html`<button id="chat-stop" class="button" type="button" @click=${() => stopAnswer(app)}>
              ${t.chat_stop}</button>`
            : html`<button class="button button-primary" type="submit">${t.chat_send}</button>`
        }
        ${
          chat.retryIn === null
            ? nothing
            : html`<button class="button" type="button" @click=${askNow}>${t.run_now}</button>`
        }
        ${chat.turns.length > 0 ? newButton(app) : nothing}
      </div>
    </form>`;

  /** @param {Event & {target: HTMLTextAreaElement}} event */
  function draft({ target }) {
    changeChat(app, { draft: target.value });
  }

  /** @param {KeyboardEvent} event - Esc stops the answer; Ctrl+Enter sends. */
  function onKey(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      send(event);
    } else if (event.key === 'Escape' && isBusy) {
      event.preventDefault();
      stopAnswer(app);
    }
  }
}

/** @param {App} app */
function suggestionsView(app) {
  const t = app.t();
  return html`<div class="row" role="group" aria-label=${t.chat_suggestions}>
    ${Object.entries(TAGS).map(([key, tag]) => {
      const question = t[/** @type {keyof typeof TAGS} */ (key)];
      return html`<button class="button suggestion" type="button"
        @click=${() => ask(app, `${tag} ${question}`)}>${question}</button>`;
    })}
  </div>`;
}

/** @param {App} app */
function tooLongView(app) {
  return html`<div class="trouble failure" role="alert">
    <p>${app.t().chat_too_long}</p>
    ${newButton(app)}
  </div>`;
}

/** @param {App} app */
function newButton(app) {
  return html`<button class="button" type="button" @click=${() => newChat(app)}>
    ${app.t().chat_new}
  </button>`;
}
