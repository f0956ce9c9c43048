/** The dialog that records a clip. */

import { clock, secondsText } from '../../core/time.js';
import {
  chooseDevice,
  closeRecord,
  LONGEST,
  openPreview,
  RECORD_DIALOG,
  startRecording,
  stopRecording,
} from '../../record/record.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { consentView, devicesView, previewView, problemView } from './camera.js';

/** @import { App, State } from '../../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function recordDialog(state, app) {
  const { kind } = state.record;
  const isAsking = ['closed', 'asking', 'opening'].includes(kind);
  return html`<dialog id=${RECORD_DIALOG} aria-labelledby="record-title" @cancel=${cancel}
    @close=${() => closeRecord(app)}>
    <div class="stack">
      <h2 id="record-title">${app.t().record_title}</h2>
      ${isAsking ? askView(state, app) : stageView(state, app)}
    </div>
  </dialog>`;

  /** @param {Event} event - Esc ends a recording, but does not lose it. */
  function cancel(event) {
    if (kind === 'recording') {
      event.preventDefault();
      stopRecording(app);
    }
  }
}

/** @param {State} state @param {App} app */
function askView(state, app) {
  const t = app.t();
  const { kind, problem } = state.record;
  const isOpening = kind === 'opening';
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!isOpening) {
      openPreview(app);
    }
  };
  return html`<form class="stack" @submit=${submit}>
    <p>${t.camera_local}</p>
    ${kind === 'closed' ? nothing : consentView(state, app)} ${problemView(problem, app)}
    ${isOpening ? html`<p class="soft">${t.camera_asking}</p>` : nothing}
    <div class="row">
      <button class="button button-primary" type="submit" aria-disabled=${isOpening}>
        ${t.record_ask}
      </button>
      ${closeButton(app)}
    </div>
  </form>`;
}

/** @param {State} state @param {App} app */
function stageView(state, app) {
  return html`
    ${previewView(state.record, state, app)}
    ${state.record.kind === 'ready' ? readyView(state, app) : runningView(state, app)}`;
}

/** @param {State} state @param {App} app */
function readyView(state, app) {
  return html`
    ${devicesView(state, app, (wanted) => chooseDevice(app, wanted))}
    <div class="row">
      <button id="record-start" class="button button-primary" type="button"
        ?disabled=${!state.record.stream} @click=${() => startRecording(app)}>
        ${app.t().record_start}
      </button>
      ${closeButton(app)}
    </div>`;
}

/** @param {State} state @param {App} app */
function runningView({ record }, app) {
  const t = app.t();
  const most = secondsText(t, LONGEST);
  return html`
    <p class="on-air">
      <span class="on-air-light"></span>
      ${
        record.kind === 'finishing'
          ? t.record_finishing
          : t.record_now({ time: clock(record.seconds), most })
      }
    </p>
    <progress max=${LONGEST} .value=${record.seconds} aria-label=${t.record_length}></progress>
    <div class="row">
      <button id="record-stop" class="button button-primary" type="button"
        @click=${() => stopRecording(app)}>
        ${t.record_stop}
      </button>
    </div>`;
}

/** @param {App} app */
function closeButton(app) {
  return html`<button class="button" type="button" @click=${() => closeRecord(app)}>
    ${app.t().record_close}
  </button>`;
}
