/** The buttons that save an answer as a file. */

import { timelineCsv } from '../../export/csv.js';
import { asJson } from '../../export/json.js';
import { fileName, save } from '../../export/save.js';
import { asSrt } from '../../export/srt.js';
import { asVtt } from '../../export/vtt.js';
import { shownOf } from '../../run.js';
import { asPng } from '../../timeline/draw/png.js';
import { argsOf, viewOf } from '../../timeline/model.js';
import { legend } from '../../timeline/words.js';
import { html } from '../../vendor/lit-html/lit-html.js';

/** @import { App, Shown, State, TimelineArgs } from '../../types.d.ts' */

/**
 * What can be saved.
 *
 * @typedef {object} Saved
 * @property {string} name of the clip
 * @property {Omit<Shown, 'asked' | 'answer'> & {answer: {notice: string} | null}} shown
 * @property {TimelineArgs | null} timeline
 * @property {() => void} [onSaved]
 */

/**
 * @param {State} state
 * @param {App} app
 */
export function exportView(state, app) {
  const shown = shownOf(state.run);
  return shown
    ? exportButtons({ name: shown.asked.clip.name, shown, timeline: argsOf(state) }, app)
    : '';
}

/**
 * A button for each form of what has come.
 *
 * @param {Saved} saved
 * @param {App} app
 */
export function exportButtons(saved, app) {
  const t = app.t();
  const hasTimeline = saved.timeline !== null;
  return html`<div class="row export" role="group" aria-label=${t.export_title}>
    <span class="export-title" aria-hidden="true">${t.export_title}</span>
    ${Object.entries(FORMS).map(
      ([ending, { name, needsTimeline }]) => html`<button class="button" type="button"
        ?disabled=${needsTimeline && !hasTimeline}
        @click=${() => saveAs(ending, saved, app)}>${name}</button>`,
    )}
    ${hasTimeline ? '' : html`<p class="soft">${t.export_needs_timeline}</p>`}
    ${saved.shown.isComplete ? '' : html`<p class="soft">${t.export_incomplete}</p>`}
  </div>`;
}

/**
 * @typedef {object} Form
 * @property {string} name
 * @property {boolean} needsTimeline
 * @property {string} type
 * @property {(saved: Saved, app: App) => string | Promise<Blob>} write
 */

/** @type {Record<string, Form>} */
const FORMS = {
  json: {
    name: 'JSON',
    needsTimeline: false,
    type: 'application/json',
    write: ({ shown }, app) => asJson(shown, noticeOf(shown, app)),
  },
  csv: {
    name: 'CSV',
    needsTimeline: true,
    type: 'text/csv;charset=utf-8',
    write: ({ shown }) => timelineCsv(shown.windows),
  },
  vtt: {
    name: 'WebVTT',
    needsTimeline: true,
    type: 'text/vtt;charset=utf-8',
    write: ({ shown }, app) => asVtt(shown.windows, notesOf(shown, app)),
  },
  srt: {
    name: 'SRT',
    needsTimeline: true,
    type: 'application/x-subrip;charset=utf-8',
    write: ({ shown }) => asSrt(shown.windows),
  },
  png: { name: 'PNG', needsTimeline: true, type: 'image/png', write: picture },
};

/**
 * @param {string} ending
 * @param {Saved} saved
 * @param {App} app
 */
async function saveAs(ending, saved, app) {
  const { type, write } = /** @type {Form} */ (FORMS[ending]);
  const content = await write(saved, app);
  const name = fileName(saved.name, ending, saved.shown.isComplete);
  save(content instanceof Blob ? content : new Blob([content], { type }), name);
  saved.onSaved?.();
  app.announce(app.t().export_saved({ name }));
}

/**
 * @param {Saved} saved
 * @param {App} app
 */
function picture({ name, shown, timeline }, app) {
  const args = /** @type {TimelineArgs} */ (timeline);
  const notes = [legend(app.t(), args).join(' '), ...notesOf(shown, app)];
  const text = { title: name, notes };
  return asPng(args, viewOf(args, app.store.get()), text, app.t());
}

/**
 * @param {Saved['shown']} shown
 * @param {App} app
 */
function notesOf(shown, app) {
  const notes = [noticeOf(shown, app)];
  return shown.isComplete ? notes : [...notes, app.t().export_note_incomplete];
}

/**
 * @param {Saved['shown']} shown
 * @param {App} app
 */
function noticeOf({ answer }, app) {
  return answer?.notice ?? app.store.get().server.model?.description ?? '';
}
