/** The fields of the timeline: whether there is one, and its windows. */

import { changeForm } from '../../core/form.js';
import { expectedWindows, mostWindows, windowsFor } from '../../core/windows.js';
import { live } from '../../vendor/lit-html/directives/live.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../../types.d.ts' */

/** @typedef {Event & {target: HTMLInputElement}} Changed */

/**
 * The box that asks for a timeline, and how many windows it will have.
 *
 * @param {State} state
 * @param {App} app
 */
export function timelineField(state, app) {
  const t = app.t();
  const { hasTimeline } = state.form;
  const toggle = (/** @type {Changed} */ { target }) =>
    changeForm(app, { hasTimeline: target.checked });
  return html`<label class="check">
      <input type="checkbox" data-param="timeline" .checked=${live(hasTimeline)} @change=${toggle} />
      <span>${t.timeline_wanted} ${hasTimeline ? countView(state, app) : nothing}</span>
    </label>`;
}

/** @param {State} state @param {App} app */
function countView(state, app) {
  const t = app.t();
  const { window, step } = windowsFor(state.form, state.duration);
  if (!state.duration) {
    return nothing;
  }
  const n = expectedWindows(state.duration, window, step);
  const most = mostWindows(state.server);
  return n > most
    ? html`<span class="trouble" role="alert">${t.timeline_too_many({ n, most })}</span>`
    : html`<span class="soft small">${t.timeline_count({ n })}</span>`;
}

/**
 * Window and step; left empty they suit the clip's length.
 *
 * @param {State} state
 * @param {App} app
 */
export function windowFields({ form, duration }, app) {
  const t = app.t();
  const suits = windowsFor(form, duration);
  return html`<div class="windows">
    ${secondsField('window', 0.5, t.timeline_window)} ${secondsField('step', 0.1, t.timeline_step)}
  </div>`;

  /**
   * @param {'window' | 'step'} name
   * @param {number} least
   * @param {string} words
   */
  function secondsField(name, least, words) {
    const change = (/** @type {Changed} */ { target }) =>
      changeForm(app, { [name]: target.value ? target.valueAsNumber : null });
    return html`<div class="field">
      <label for="timeline-${name}">${words}</label>
      <input
        id="timeline-${name}"
        type="number"
        data-param="timeline.${name}"
        min=${least}
        step="any"
        inputmode="decimal"
        placeholder=${String(suits[name])}
        .value=${form[name] === null ? '' : String(form[name])}
        @change=${change}
      />
    </div>`;
  }
}
