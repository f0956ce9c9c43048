/** The options that few need: transcript, labels, frame and the language of the answer. */

import { changeForm, labelsOf } from '../../core/form.js';
import { changeSettings } from '../../core/settings.js';
import { live } from '../../vendor/lit-html/directives/live.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { windowFields } from './windows.js';

/** @import { App, Form, Settings, State } from '../../types.d.ts' */

/** @typedef {Event & {target: HTMLInputElement}} InputEvent_ */

/**
 * @param {State} state
 * @param {App} app
 */
export function moreOptions(state, app) {
  return html`<details>
    <summary>${app.t().more}</summary>
    <div class="stack">
      ${transcriptField(state, app)} ${labelsField(state, app)} ${frameField(state, app)}
      ${state.form.hasTimeline ? windowFields(state, app) : nothing} ${languageField(state, app)}
    </div>
  </details>`;
}

/** @param {State} state @param {App} app */
function transcriptField({ form, server }, app) {
  const t = app.t();
  const change = (/** @type {Event & {target: HTMLTextAreaElement}} */ { target }) =>
    changeForm(app, { transcript: target.value });
  return html`<div class="field">
    <label for="transcript">${t.transcript}</label>
    <textarea id="transcript" data-param="transcript" rows="2" aria-describedby="transcript-hint"
      .value=${live(form.transcript)} @input=${change}></textarea>
    <p id="transcript-hint" class="soft small">${t.transcript_hint}</p>
    ${server.model?.transcribes && !form.transcript.trim() ? heardField(form, app) : nothing}
  </div>`;
}

/** @param {Form} form @param {App} app */
function heardField({ isHeard }, app) {
  const change = (/** @type {InputEvent_} */ { target }) =>
    changeForm(app, { isHeard: target.checked });
  return html`<label class="check">
    <input type="checkbox" data-param="transcribe" .checked=${live(isHeard)} @change=${change} />
    <span>${app.t().transcript_heard}</span>
  </label>`;
}

/** @param {State} state @param {App} app */
function labelsField({ form, server }, app) {
  const t = app.t();
  const own = server.model?.labels?.join(', ') ?? '';
  const change = (/** @type {InputEvent_} */ { target }) =>
    changeForm(app, { labels: labelsOf(target.value) });
  return html`<div class="field">
    <label for="labels">${t.labels}</label>
    <input id="labels" type="text" data-param="labels" autocomplete="off" placeholder=${own}
      aria-describedby="labels-hint" .value=${form.labels?.join(', ') ?? ''} @change=${change} />
    <p id="labels-hint" class="soft small">${t.labels_hint}</p>
  </div>`;
}

/** @param {State} state @param {App} app */
function frameField({ form }, app) {
  const t = app.t();
  const isTime = typeof form.frame === 'number';
  const kind = isTime ? 'time' : form.frame;
  const pick = (/** @type {Event & {target: HTMLSelectElement}} */ { target }) =>
    changeForm(app, {
      frame: target.value === 'time' ? 0 : /** @type {Form['frame']} */ (target.value),
    });
  const time = (/** @type {InputEvent_} */ { target }) =>
    changeForm(app, { frame: target.valueAsNumber || 0 });
  return html`<div class="field">
    <label for="frame">${t.frame}</label>
    <select id="frame" data-param="frame" .value=${live(kind)} @change=${pick}>
      ${
        /** @type {const} */ (['first', 'middle', 'peak', 'time']).map(
          (name) =>
            html`<option value=${name} ?selected=${name === kind}>${t[`frame_${name}`]}</option>`,
        )
      }
    </select>
    ${
      isTime
        ? html`<input type="number" min="0" step="any" inputmode="decimal" aria-label=${t.frame_seconds}
          .value=${String(form.frame)} @change=${time} />`
        : nothing
    }
  </div>`;
}

/** @param {State} state @param {App} app */
export function languageField({ settings }, app) {
  const t = app.t();
  const change = (/** @type {Event & {target: HTMLSelectElement}} */ { target }) =>
    changeSettings(app, {
      answerLanguage: /** @type {Settings['answerLanguage']} */ (target.value),
    });
  return html`<div class="field">
    <label for="language">${t.answer_language}</label>
    <select id="language" data-param="language" .value=${live(settings.answerLanguage)}
      @change=${change}>
      ${
        /** @type {const} */ (['page', 'en', 'zh']).map(
          (name) => html`<option value=${name} ?selected=${name === settings.answerLanguage}>
          ${t[`answer_language_${name}`]}</option>`,
        )
      }
    </select>
  </div>`;
}
