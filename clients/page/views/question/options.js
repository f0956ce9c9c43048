/** The question: what is asked about the clip, with the options folded away. */

import { changeForm } from '../../core/form.js';
import { canStart, start } from '../../run.js';
import { live } from '../../vendor/lit-html/directives/live.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { moreOptions } from './more.js';
import { requestView } from './request.js';
import { timelineField } from './windows.js';

/** @import { App, State, Task } from '../../types.d.ts' */

/** @type {Task[]} */
const TASKS = ['both', 'emotion', 'reason'];

/**
 * @param {State} state
 * @param {App} app
 */
export function optionsView(state, app) {
  const t = app.t();
  return html`<form class="card stack ask" aria-label=${t.question} @submit=${submit}>
    ${taskField(state, app)} ${timelineField(state, app)} ${moreOptions(state, app)}
    <div class="row ask-end">
      <button
        id="analyse"
        class="button button-primary"
        type="submit"
        aria-disabled=${canStart(state) ? 'false' : 'true'}
        aria-keyshortcuts="Control+Enter"
      >
        ${t.analyse}<kbd aria-hidden="true">Ctrl+Enter</kbd>
      </button>
      ${state.clip ? requestView(state, app) : nothing}
    </div>
    ${state.run.kind === 'done' ? toResult(app) : nothing}
    <p class="soft small">${t.sent_where}</p>
  </form>`;

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    if (canStart(state)) {
      start(app);
    }
  }
}

/** @param {State} state @param {App} app */
function taskField({ form }, app) {
  const t = app.t();
  const isOwn = form.question !== null;
  return html`<div class="field">
      <label for="task">${t.question}</label>
      <select id="task" data-param="task" .value=${live(isOwn ? 'own' : form.task)} @change=${change}>
        ${TASKS.map(
          (task) => html`<option value=${task} ?selected=${!isOwn && task === form.task}>
          ${t[`task_${task}`]}</option>`,
        )}
        <option value="own" ?selected=${isOwn}>${t.task_own}</option>
      </select>
    </div>
    ${
      isOwn
        ? html`<div class="field">
          <label for="question">${t.task_own_label}</label>
          <textarea id="question" data-param="question" rows="2" .value=${live(form.question ?? '')}
            @input=${(/** @type {Event & {target: HTMLTextAreaElement}} */ { target }) =>
              changeForm(app, { question: target.value })}></textarea>
        </div>`
        : nothing
    }`;

  /** @param {Event & {target: HTMLSelectElement}} event */
  function change({ target }) {
    const isOwnNow = target.value === 'own';
    const task = isOwnNow ? 'both' : /** @type {Task} */ (target.value);
    changeForm(app, { task, question: isOwnNow ? '' : null });
  }
}

/** @param {App} app - The way past the options, once there is something behind them. */
function toResult(app) {
  const go = () => document.getElementById('result')?.focus();
  return html`<button class="button button-quiet to-result" type="button" @click=${go}>
    ${app.t().to_result}
  </button>`;
}
