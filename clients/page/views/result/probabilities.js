/** The labels' probabilities as bars, the most probable first. */

import { translationOf } from '../../core/labels.js';
import { percent, ranked } from '../../core/numbers.js';
import { repeat } from '../../vendor/lit-html/directives/repeat.js';
import { html, nothing, svg } from '../../vendor/lit-html/lit-html.js';
import { fillOf, swatch } from '../shell/patterns.js';

/** @import { App } from '../../types.d.ts' */
/** @import { Entry } from '../../core/numbers.js' */

/** Labels that are shown at once; the rest is folded away. */
const SHOWN = 6;

/**
 * @param {Record<string, number>} probabilities
 * @param {App} app
 */
export function probabilitiesView(probabilities, app) {
  const t = app.t();
  const entries = ranked(probabilities);
  const rest = entries.slice(SHOWN);
  const chance = 1 / entries.length;
  return html`<figure class="probabilities">
    ${bars(entries.slice(0, SHOWN), chance, app)}
    ${
      rest.length > 0
        ? html`<details>
          <summary>${t.labels_more({ n: rest.length })}</summary>
          ${bars(rest, chance, app)}
        </details>`
        : nothing
    }
    <figcaption class="soft small" title=${t.share_more}>
      ${t.share({ n: entries.length })} ${t.share_chance({ p: percent(t, chance) })}
    </figcaption>
  </figure>`;
}

/**
 * @param {Entry[]} entries
 * @param {number} chance - The share of each if all were equal.
 * @param {App} app
 */
function bars(entries, chance, app) {
  return html`<ul class="bars" role="list">
    ${repeat(
      entries,
      ([label]) => label,
      ([label, probability]) => bar(label, probability, chance, app),
    )}
  </ul>`;
}

/**
 * @param {string} label
 * @param {number} probability
 * @param {number} chance
 * @param {App} app
 */
function bar(label, probability, chance, app) {
  const t = app.t();
  const translation = translationOf(t, label);
  const tick = `${chance * 100}%`;
  return html`<li class="bar">
    <span class="bar-name">
      ${swatch(label)} ${label}
      ${translation ? html`<span class="soft">${translation}</span>` : nothing}
    </span>
    <svg class="bar-track" aria-hidden="true" focusable="false">
      ${svg`<rect class="bar-fill" width="${probability * 100}%" height="100%" fill=${fillOf(label)} />
        <line class="bar-chance" x1=${tick} x2=${tick} y1="0" y2="100%" />`}
    </svg>
    <span class="bar-share">${percent(t, probability)}</span>
  </li>`;
}
