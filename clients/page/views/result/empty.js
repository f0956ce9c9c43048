/** What stands in the place of a result before there is one. */

import { html, svg } from '../../vendor/lit-html/lit-html.js';
import { fillOf } from '../shell/patterns.js';

/** @import { App, State } from '../../types.d.ts' */

/** Drawn as an answer would look; heights of 16 windows for three labels. */
const SHAPES = {
  neutral: [8, 8, 7, 5, 3, 2, 1, 1, 1, 1, 1, 2, 3, 5, 6, 7],
  happy: [1, 1, 2, 4, 6, 8, 9, 9, 8, 6, 4, 2, 1, 1, 1, 1],
  surprise: [1, 1, 1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 7, 4, 3, 2],
};

/**
 * @param {State} state
 * @param {App} app
 */
export function emptyView({ clip }, app) {
  const t = app.t();
  return html`<section class="empty" aria-label=${t.result}>
    <svg class="empty-picture" viewBox="0 0 320 120" aria-hidden="true" focusable="false">
      ${Object.entries(SHAPES).map(([label, heights], lane) =>
        heights.map(
          (
            height,
            index,
          ) => svg`<rect x=${index * 20 + 1} y=${lane * 40 + 36 - height * 3.4} width="18"
            height=${height * 3.4} rx="2" fill=${fillOf(label)} />`,
        ),
      )}
    </svg>
    <p class="empty-words">${clip ? t.empty_ready : t.empty}</p>
    <ol class="steps" role="list">
      <li><strong>${t.step_label}</strong> ${t.step_label_more}</li>
      <li><strong>${t.step_time}</strong> ${t.step_time_more}</li>
      <li><strong>${t.step_words}</strong> ${t.step_words_more}</li>
      <li><strong>${t.step_evidence}</strong> ${t.step_evidence_more}</li>
      <li><strong>${t.step_private}</strong> ${t.step_private_more}</li>
      <li><strong>${t.step_care}</strong> ${t.step_care_more}</li>
    </ol>
  </section>`;
}
