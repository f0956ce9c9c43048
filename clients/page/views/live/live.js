/** The view `#/live`: camera and microphone, a window for every two seconds. */

import { labelText } from '../../core/labels.js';
import { percent, ranked } from '../../core/numbers.js';
import { clock, secondsText } from '../../core/time.js';
import { pauseLive, resumeLive, startLive, stopLive } from '../../live/live.js';
import { secondsLeft } from '../../live/windows.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { consentView, devicesView, previewView, problemView } from '../clip/camera.js';
import { failureView } from '../shell/failure.js';
import { swatch } from '../shell/patterns.js';
import { liveResult } from './timeline.js';

/** @import { App, State } from '../../types.d.ts' */

/** How many labels are told as they are now. */
const NOW = 3;

/**
 * @param {State} state
 * @param {App} app
 */
export function liveView(state, app) {
  const t = app.t();
  const isOn = ['running', 'paused'].includes(state.live.kind);
  return html`
    <div class="page-head">
      <h1 tabindex="-1">${t.live_title}</h1>
      <p class="soft">${t.live_intro}</p>
    </div>
    <div class="columns">
      <section class="card stack live-camera" aria-label=${t.live_camera}>
        ${isOn ? runningView(state, app) : startView(state, app)}
      </section>
      <div class="stack">
        ${nowView(state, app)} ${liveResult(state, app)}
      </div>
    </div>`;
}

/** @param {State} state @param {App} app */
function startView(state, app) {
  const t = app.t();
  const { kind, problem, failure, windows } = state.live;
  const isOpening = kind === 'opening';
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!isOpening) {
      startLive(app);
    }
  };
  return html`<form class="stack" @submit=${submit}>
    ${kind === 'ended' && !problem ? html`<p>${t.live_over}</p>` : nothing}
    ${problemView(problem, app)} ${failure ? failureView(failure, state, app) : nothing}
    <p>${t.sent_where}</p>
    ${consentView(state, app)}
    ${state.devices.cameras.length + state.devices.microphones.length > 0 ? devices() : nothing}
    ${isOpening ? html`<p class="soft">${t.camera_asking}</p>` : nothing}
    <div class="row">
      <button id="live-start" class="button button-primary" type="submit" aria-disabled=${isOpening}>
        ${windows.length > 0 ? t.live_restart : t.live_start}
      </button>
    </div>
    ${windows.length > 0 ? html`<p class="soft small">${t.live_replaces}</p>` : nothing}
  </form>`;

  function devices() {
    return devicesView(state, app, (wanted) =>
      app.store.set({
        devices: { ...state.devices, wanted: { ...state.devices.wanted, ...wanted } },
      }),
    );
  }
}

/** @param {State} state @param {App} app */
function runningView(state, app) {
  const t = app.t();
  const isPaused = state.live.pausedBy === 'paused';
  return html`
    <p class="on-air">
      <span class="on-air-light ${state.live.kind === 'paused' ? 'on-air-off' : ''}"></span>
      ${state.live.kind === 'paused' ? pauseText(state, app) : t.live_sending}
    </p>
    ${previewView(state.live, state, app)}
    <div class="row">
      <button id="live-pause" class="button" type="button"
        @click=${() => (state.live.kind === 'paused' ? resumeLive() : pauseLive())}>
        ${isPaused ? t.live_resume : state.live.kind === 'paused' ? t.run_now : t.live_pause}
      </button>
      <button class="button button-primary" type="button" @click=${() => stopLive(app)}>
        ${t.live_stop}
      </button>
    </div>
    ${hiddenView(state, app)}`;
}

/** @param {State} state @param {App} app */
function pauseText({ live }, app) {
  const t = app.t();
  switch (live.pausedBy) {
    case 'busy':
      return t.run_busy({ s: String(secondsLeft(live.goesOnAt)) });
    case 'no-picture':
      return t.live_no_picture;
    default:
      return t.live_paused;
  }
}

/** @param {State} state @param {App} app */
function hiddenView({ live }, app) {
  return live.hiddenFor === null
    ? nothing
    : html`<p class="soft small">${app.t().live_hidden({ seconds: live.hiddenFor })}</p>`;
}

/**
 * What the latest window says, and how long after it that was known.
 *
 * @param {State} state
 * @param {App} app
 */
function nowView({ live }, app) {
  const t = app.t();
  const last = live.windows.at(-1);
  if (!last) {
    return html`<section class="card live-now">
      <p class="soft">${live.kind === 'running' ? t.live_waiting : t.live_empty}</p>
    </section>`;
  }
  const [first, ...rest] = ranked(last.probabilities)
    .slice(0, NOW)
    .map(([label, p]) => t.live_label({ label: labelText(t, label), share: percent(t, p) }));
  const lag = t.live_answered({ seconds: secondsText(t, last.lag) });
  return html`<section class="card stack live-now" aria-label=${t.live_now}>
    <p class="soft small">${t.live_at({ from: clock(last.start), to: clock(last.end), lag })}</p>
    <p class="headline">${swatch(last.emotion)} ${first}</p>
    <p class="soft">${rest.join(t.list_comma)}</p>
  </section>`;
}
