/** The samples, to be tried with a click. */

import { SAMPLES } from '../../media/samples.js';
import { takeSample } from '../../media/source.js';
import { html } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function samplesView({ clip }, app) {
  const t = app.t();
  return html`<div class="samples ${clip ? 'samples-small' : ''}">
    <h3 class="small soft">${t.samples}</h3>
    <ul role="list">
      ${SAMPLES.map((sample) => {
        const isChosen = clip?.kind === 'file' && clip.sample && clip.name === `${sample.name}.mp4`;
        return html`<li>
          <button
            class="sample"
            type="button"
            aria-pressed=${isChosen ? 'true' : 'false'}
            @click=${() => takeSample(app, sample)}
          >
            <img src="page/posters/${sample.name}.jpg" alt="" width="160" height="160" />
            <span>${t[`sample_${sample.name}`]}</span>
          </button>
        </li>`;
      })}
    </ul>
  </div>`;
}
