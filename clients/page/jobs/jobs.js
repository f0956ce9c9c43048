/** The jobs of the server: lists, follows and cancels them, and saves their results. */

import { asJsonLines, batchCsv } from '../export/batch.js';
import { save } from '../export/save.js';
import { failureOf } from '../net/failures.js';
import { isAboutEmotions, isOver } from './batch.js';

/** @import { Analysed, App } from '../types.d.ts' */
/** @import { Batch, JobsState } from './types.d.ts' */

/** How many are listed. */
const NEWEST = 100;
/** Milliseconds until jobs that go on are asked about again. */
const AGAIN = 5000;

const TYPES = { csv: 'text/csv;charset=utf-8', jsonl: 'application/jsonl' };

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Ask about the jobs for as long as their view is shown.
 *
 * @param {App} app
 */
export function installJobs(app) {
  let wasShown = false;
  const look = () => {
    const isShown = app.store.get().route === 'jobs';
    if (isShown !== wasShown) {
      wasShown = isShown;
      clearTimeout(timer);
      if (isShown) {
        refresh(app);
      }
    }
  };
  app.store.subscribe(look);
  look();
}

/**
 * Ask which jobs there are, and go on asking while one is not over.
 *
 * @param {App} app
 */
export async function refresh(app) {
  clearTimeout(timer);
  await attempt(app, async () => changeJobs(app, { batches: await newest(app) }));
  const { jobs, route } = app.store.get();
  if (route === 'jobs' && jobs.batches?.some((batch) => !isOver(batch))) {
    clearTimeout(timer);
    timer = setTimeout(() => refresh(app), AGAIN);
  }
}

/**
 * @param {App} app
 * @param {Batch} batch
 */
export async function cancelJob(app, { id }) {
  await attempt(app, async () => {
    const cancelled = await app.client().batches.cancel(id);
    const batches = app.store.get().jobs.batches ?? [];
    changeJobs(app, { batches: batches.map((one) => (one.id === id ? cancelled : one)) });
  });
}

/**
 * Save the results of a job that is over; those of chats as the server has them.
 *
 * @param {App} app
 * @param {Batch} batch
 * @param {'csv' | 'jsonl'} ending
 */
export async function saveResults(app, batch, ending) {
  const name = `${batch.id}.${ending}`;
  await attempt(app, async () => {
    const content = isAboutEmotions(batch)
      ? [(ending === 'csv' ? batchCsv : asJsonLines)(await analysed(app, batch))]
      : await contents(app, batch);
    save(new Blob(content, { type: TYPES[ending] }), name);
    app.announce(app.t().export_saved({ name }));
  });
}

/**
 * @param {App} app
 * @returns {Promise<Batch[]>}
 */
async function newest(app) {
  const found = [];
  for await (const batch of app.client().batches.list()) {
    found.push(batch);
    if (found.length === NEWEST) {
      break;
    }
  }
  return found;
}

/**
 * @param {App} app
 * @param {Batch} batch
 * @returns {Promise<Analysed[]>}
 */
async function analysed(app, batch) {
  const found = [];
  for await (const { videoPath, response, error } of app.client().batches.results(batch)) {
    const failure = error === undefined ? null : failureOf(error);
    const name = String(videoPath);
    found.push({ name, ...(response && { response }), ...(failure && { error: failure.message }) });
  }
  return found;
}

/** @param {App} app @param {Batch} batch */
async function contents(app, { output_file_id, error_file_id }) {
  const ids = [output_file_id, error_file_id].filter((id) => id !== null);
  return Promise.all(ids.map((id) => app.client().files.content(id)));
}

/**
 * Do something that may fail; the view tells why it did.
 *
 * @param {App} app
 * @param {() => Promise<void>} act
 */
async function attempt(app, act) {
  try {
    await act();
    changeJobs(app, { failure: null });
  } catch (error) {
    changeJobs(app, { failure: failureOf(error) });
  }
}

/**
 * @param {App} app
 * @param {Partial<JobsState>} patch
 */
function changeJobs(app, patch) {
  app.store.set({ jobs: { ...app.store.get().jobs, ...patch } });
}
