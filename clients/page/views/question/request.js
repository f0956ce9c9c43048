/** The request as a program: to read, and to copy. */

import { askedOptions } from '../../core/asked.js';
import { currentKey } from '../../core/key.js';
import { asCurl } from '../../snippets/curl.js';
import { asJavaScript } from '../../snippets/javascript.js';
import { asPython } from '../../snippets/python.js';
import { requestOf } from '../../snippets/request.js';
import { html } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../../types.d.ts' */

const WRITERS = { curl: asCurl, Python: asPython, JavaScript: asJavaScript };

/** @typedef {keyof typeof WRITERS} Form */

const FORMS = /** @type {Form[]} */ (Object.keys(WRITERS));

/** The form that was chosen last. @type {Form} */
let chosen = 'curl';

/**
 * What [Analyse] would ask, as a program.
 *
 * @param {State} state
 * @param {App} app
 */
export function requestView(state, app) {
  const { clip } = state;
  if (!clip) {
    return '';
  }
  const t = app.t();
  const needsKey = currentKey() !== undefined;
  const asked = { clip, options: askedOptions(state) };
  const request = requestOf(asked, document.baseURI, needsKey);
  return html`<details class="request">
    <summary class="button">${t.request_title}</summary>
    <div class="stack request-body">
      <div class="row" role="group" aria-label=${t.request_language}>
        ${FORMS.map((form) => choice(form, app))}
      </div>
      <pre class="request-code" tabindex="0" role="region" aria-label=${t.request_code}
        ><code translate="no">${WRITERS[chosen](request)}</code></pre>
      ${request.file && !request.sample ? html`<p>${t.request_file({ name: request.file })}</p>` : ''}
      ${needsKey ? html`<p>${t.request_key}</p>` : ''}
      <button class="button button-primary" type="button"
        @click=${(/** @type {Event} */ event) => copy(event, app)}>${t.request_copy}</button>
    </div>
  </details>`;
}

/**
 * @param {Form} form
 * @param {App} app
 */
function choice(form, app) {
  const choose = () => {
    chosen = form;
    app.store.set({});
  };
  return html`<button class="button" type="button" aria-pressed=${form === chosen}
    @click=${choose}>${form}</button>`;
}

/**
 * Copy what is shown; where browsers do not let a page copy, select it.
 *
 * @param {Event} event
 * @param {App} app
 */
async function copy({ currentTarget }, app) {
  const code = /** @type {Element} */ (currentTarget).parentElement?.querySelector('code');
  if (!code) {
    return;
  }
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
    app.announce(app.t().request_copied);
  } catch {
    getSelection()?.selectAllChildren(code);
    app.announce(app.t().request_by_hand);
  }
}
