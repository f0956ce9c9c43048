/** The result: the label in words, all labels, doubts, and what the model wrote. */

import { headline } from '../../core/numbers.js';
import { isRunning, shownOf } from '../../run.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { emptyView } from './empty.js';
import { evidenceView } from './evidence.js';
import { exportView } from './export.js';
import { probabilitiesView } from './probabilities.js';
import { progressView } from './progress.js';
import { timelineView } from './timeline.js';
import { warningsView } from './warnings.js';

/** @import { App, Shown, State } from '../../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function resultView(state, app) {
  const { run } = state;
  if (run.kind === 'idle') {
    return emptyView(state, app);
  }
  const shown = shownOf(run);
  return html`<div class="stack result">
    <section id="result" class="card stack" tabindex="-1" aria-label=${app.t().result}>
      ${progressView(state, app)} ${shown?.emotion ? answerView(shown, state, app) : nothing}
    </section>
    ${shown ? partsView(shown, state, app) : nothing}
  </div>`;
}

/**
 * @param {Shown} shown
 * @param {State} state
 * @param {App} app
 */
function answerView(shown, state, app) {
  const t = app.t();
  const probabilities = shown.emotion?.probabilities ?? {};
  const notice = shown.answer?.notice ?? state.server.model?.description;
  return html`
    <h2 class="headline">${headline(t, probabilities)}</h2>
    ${notice ? html`<p class="answer-notice" lang="en">${notice}</p>` : nothing}
    ${probabilitiesView(probabilities, app)} ${ownWords(shown, app)}
    ${warningsView(shown, state, app)} ${exportView(state, app)}
  `;
}

/**
 * The model's own answer to the question for a label.
 *
 * @param {Shown} shown
 * @param {App} app
 */
function ownWords({ emotion }, app) {
  return emotion?.answer && emotion.answer_matches !== false
    ? html`<p>${app.t().result_own} <q class="model-words">${emotion.answer}</q></p>`
    : nothing;
}

/**
 * What stands under the result: timeline, explanation, evidence.
 *
 * @param {Shown} shown
 * @param {State} state
 * @param {App} app
 */
function partsView(shown, state, app) {
  return html`
    ${shown.asked.options.timeline ? timelineView(state, app) : nothing}
    ${shown.asked.options.task !== 'emotion' ? wroteView(shown, state, app) : nothing}
    ${shown.answer ? evidenceView(shown.answer, state, app) : nothing}
  `;
}

/**
 * @param {Shown} shown
 * @param {State} state
 * @param {App} app
 */
function wroteView({ explanation, isComplete }, { run }, app) {
  const t = app.t();
  const isComing = isRunning(run);
  return html`<section class="card stack" aria-labelledby="wrote" aria-busy=${isComing}>
    <h2 id="wrote">
      ${t.wrote} ${isComing ? html`<span class="coming small soft">${t.wrote_coming}</span>` : nothing}
    </h2>
    <p class="model-words explanation">${explanation || (isComing ? '…' : t.wrote_nothing)}</p>
    ${isComplete || isComing ? nothing : html`<p class="soft">${t.incomplete}</p>`}
  </section>`;
}
