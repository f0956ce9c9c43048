/** The batch of this page: joins the queue with the state, the server and the analyse view. */

import { answerLanguage } from '../core/settings.js';
import { takeFile } from '../media/source.js';
import { failureOf, pauseOf, whyLost } from '../net/failures.js';
import { dropped, mayBeClip } from './files.js';
import { Queue } from './queue.js';
import { countsOf } from './rows.js';

/** @import { App, Options, State } from '../types.d.ts' */
/** @import { Outcome } from './queue.js' */
/** @import { Column, ManyState, Row } from './types.d.ts' */

/** Seconds until a server that is busy, or not there, is asked again. */
const [BUSY, OFFLINE] = [4, 5];

/** @type {Queue} */
export let batch;

/** @param {App} app */
export function installMany(app) {
  const { store } = app;
  batch = new Queue({
    get: () => store.get().many,
    set: (patch) => changeMany(app, patch),
    ask: (row, sending, signal) => {
      const options = { ...optionsOf(store.get()), video: row.file, signal };
      return app.slots.run(() => app.client(sending).analyze(options), signal);
    },
    judge: (error) => judge(app, error),
    atOnce: () => store.get().settings.clipsAtOnce,
  });
  announceProgress(app);
  window.addEventListener('drop', async ({ dataTransfer }) => {
    if (dataTransfer && store.get().route === 'many') {
      addClips(app, await dropped(dataTransfer));
    }
  });
}

/**
 * Add files, but for those that are no clips.
 *
 * @param {App} app
 * @param {import('./files.js').Clip[]} files
 */
export function addClips(app, files) {
  const clips = files.filter(({ file }) => mayBeClip(file));
  changeMany(app, { leftOut: files.length - clips.length });
  batch.add(clips);
}

/**
 * @param {App} app
 * @param {Partial<ManyState>} patch
 */
export function changeMany(app, patch) {
  app.store.set({ many: { ...app.store.get().many, ...patch } });
}

/**
 * Sort by a column; the same one again turns the order around, and then gives it up.
 *
 * @param {App} app
 * @param {Column} by
 */
export function sortBy(app, by) {
  const { sort } = app.store.get().many;
  if (sort?.by !== by) {
    changeMany(app, { sort: { by, isDescending: false }, page: 0 });
  } else {
    changeMany(app, { sort: sort.isDescending ? null : { by, isDescending: true }, page: 0 });
  }
}

/**
 * Show a clip with its answer in the analyse view.
 *
 * @param {App} app
 * @param {Row} row
 */
export function openRow(app, row) {
  takeFile(app, row.file);
  const { clip } = app.store.get();
  if (clip && row.answer) {
    const asked = { clip, options: optionsOf(app.store.get()) };
    app.store.set({ run: { kind: 'done', asked, answer: row.answer } });
  }
  location.hash = '#/';
}

/**
 * What every clip is asked: the labels, frame and numbers of the form, but not what belongs to a
 * single clip.
 *
 * @param {State} state
 * @returns {Options}
 */
function optionsOf({ form, settings, many }) {
  const { labels, frame, isHeard } = form;
  const { temperature, maxTokens, seed } = settings;
  const language = answerLanguage(settings);
  return {
    task: many.isExplained ? 'both' : 'emotion',
    frame,
    ...(isHeard && { transcribe: true }),
    language,
    temperature,
    maxTokens,
    ...(labels && { labels }),
    ...(seed !== null && { seed }),
  };
}

/**
 * What concerns the server makes the batch wait as a whole; all else is about one clip.
 *
 * @param {App} app
 * @param {unknown} error
 * @returns {Promise<Outcome>}
 */
async function judge(app, error) {
  const pause = pauseOf(error);
  const told = failureOf(error);
  const failure = told.kind === 'offline' ? await whyLost(app) : told;
  switch (failure.kind) {
    case 'busy':
    case 'rate':
      return { hold: failure.kind, seconds: pause?.seconds ?? BUSY };
    case 'offline':
      return { hold: 'offline', seconds: OFFLINE };
    case 'key_missing':
    case 'key_wrong':
      return { hold: 'key', seconds: null };
    default:
      return { failure };
  }
}

/**
 * Say by tens how far the batch is, and that it is done.
 *
 * @param {App} app
 */
function announceProgress(app) {
  let said = 0;
  let rows = app.store.get().many.rows;
  app.store.subscribe(({ many }) => {
    if (many.rows === rows) {
      return;
    }
    rows = many.rows;
    const { done, failed, all, ended } = countsOf(rows);
    const tens = ended === all ? all : Math.floor(ended / 10) * 10;
    if (tens !== said) {
      said = tens;
      if (tens > 0) {
        app.announce(app.t().many_progress({ done, all, failed }));
      }
    }
  });
}
