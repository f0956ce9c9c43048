/** The running timeline of live mode: how much came, which part is shown, and its files. */

import { secondsText } from '../../core/time.js';
import { changeLive } from '../../live/live.js';
import { latest, lengthOf } from '../../live/windows.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { exportButtons } from '../result/export.js';
import { timelinePanel } from '../result/timeline.js';

/** @import { LiveState } from '../../live/types.d.ts' */
/** @import { App, State, TimelineArgs } from '../../types.d.ts' */

/** @type {LiveState['span'][]} */
const SPANS = [60, 300, 0];

/**
 * @param {State} state
 * @param {App} app
 */
export function liveResult({ live }, app) {
  if (live.windows.length === 0) {
    return nothing;
  }
  const t = app.t();
  return html`
    <p class="live-counts small soft">${countsOf(live, app).join(' · ')}</p>
    <div class="row live-tools">
      <div class="row" role="group" aria-label=${t.live_span}>
        ${SPANS.map((span) => spanButton(span, live, app))}
      </div>
    </div>
    ${timelinePanel(shownPart(live), app)}
    ${live.gaps.length > 0 ? html`<p class="soft small">${t.live_gaps}</p>` : nothing}
    ${exportButtons({ ...savedOf(live), onSaved: () => changeLive(app, { isSaved: true }) }, app)}`;
}

/** @param {LiveState} live @param {App} app */
function countsOf({ windows, gaps, dropped }, app) {
  const t = app.t();
  const failed = lengthOf(gaps, 'failed', 'busy');
  const paused = lengthOf(gaps, 'paused', 'hidden', 'no-picture');
  const text = (/** @type {number} */ seconds) => secondsText(t, seconds, 0);
  return [
    t.live_windows({ n: windows.length }),
    ...(dropped > 0 ? [t.live_dropped({ n: dropped })] : []),
    ...(failed > 0 ? [t.live_failed({ seconds: text(failed) })] : []),
    ...(paused > 0 ? [t.live_paused_for({ seconds: text(paused) })] : []),
  ];
}

/**
 * @param {LiveState['span']} span
 * @param {LiveState} live
 * @param {App} app
 */
function spanButton(span, live, app) {
  const t = app.t();
  const words = { 60: t.live_span_minute, 300: t.live_span_five, 0: t.live_span_all };
  return html`<button class="button" type="button" aria-pressed=${live.span === span}
    @click=${() => changeLive(app, { span })}>
    ${words[span]}
  </button>`;
}

/**
 * The windows and gaps that are looked at.
 *
 * @param {LiveState} live
 * @returns {TimelineArgs}
 */
function shownPart(live) {
  const { seconds, span } = live;
  const whole = wholeOf(live);
  const from = span === 0 ? 0 : Math.max(0, seconds - span);
  const to = span === 0 ? whole.duration : Math.max(span, whole.duration);
  return {
    ...whole,
    windows: latest(whole.windows, seconds, span),
    view: { from, to },
  };
}

/**
 * @param {LiveState} live
 * @returns {TimelineArgs}
 */
function wholeOf({ windows, gaps, seconds }) {
  return {
    windows,
    duration: Math.max(seconds, windows.at(-1)?.end ?? 0),
    labels: Object.keys(windows[0]?.probabilities ?? {}),
    isComplete: true,
    gaps: gaps.map(({ start, end }) => ({ from: start, to: end })),
    isLive: true,
  };
}

/** @param {LiveState} live */
function savedOf(live) {
  const { startedAt, seconds, windows, gaps, latest: answer } = live;
  const started = new Date(startedAt).toISOString();
  const { model, notice = '' } = answer ?? {};
  return {
    name: `live ${started.slice(0, 19).replaceAll(':', '.')}.webm`,
    shown: {
      isComplete: true,
      emotion: null,
      explanation: null,
      windows,
      answer: { model, started, seconds, timeline: windows, gaps, notice },
    },
    timeline: wholeOf(live),
  };
}
