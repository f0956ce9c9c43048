/** Many clips: the queue, its pauses, the order and the counts of its rows. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasUnsaved } from '../core/unsaved.js';
import { LIVE_OFF } from '../live/state.js';
import { mayBeClip } from '../many/files.js';
import { Queue } from '../many/queue.js';
import { countsOf, noteOf, sorted, timeLeft } from '../many/rows.js';
import { NO_CLIPS } from '../many/state.js';

const settled = () => new Promise(setImmediate);
const clip = (name) => ({ name, file: new File([name], name, { lastModified: 1 }) });
const answerOf = (emotion = 'happy', confidence = 0.9) => ({
  emotion,
  confidence,
  probabilities: { [emotion]: confidence, sad: 1 - confidence },
  evidence: { frame_time: 0, audio_seconds: 1 },
});

/** A queue whose requests end when the test says so; errors are judged by what they are. */
function queue({ atOnce = 2 } = {}) {
  let state = NO_CLIPS;
  /** @type {Map<string, {resolve: Function, reject: Function, sending: any, signal: AbortSignal}>} */
  const asked = new Map();
  const subject = new Queue({
    get: () => state,
    set: (patch) => {
      state = { ...state, ...patch };
    },
    ask: ({ name }, sending, signal) =>
      new Promise((resolve, reject) => {
        asked.set(name, { resolve, reject, sending, signal });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    judge: async (outcome) => outcome,
    atOnce: () => atOnce,
  });
  const end = async (name, ended, value) => {
    asked.get(name)[ended](value);
    await settled();
  };
  return {
    subject,
    asked,
    state: () => state,
    states: () => state.rows.map((row) => row.state),
    succeed: (name) => end(name, 'resolve', answerOf()),
    fail: (name, outcome) => end(name, 'reject', outcome),
  };
}

test('so many clips are asked about at once, and the next follows the first that ends', async () => {
  const { subject, states, succeed } = queue();
  subject.add(['a', 'b', 'c'].map(clip));
  assert.deepEqual(states(), ['sending', 'sending', 'waiting']);
  await succeed('b');
  assert.deepEqual(states(), ['sending', 'done', 'sending']);
});

test('a clip that is there already is not added again', () => {
  const { subject, state } = queue();
  subject.add([clip('a')]);
  subject.add([clip('a'), clip('b')]);
  assert.deepEqual(
    state().rows.map(({ name }) => name),
    ['a', 'b'],
  );
});

test('the upload of a clip is told, and that it has been sent', () => {
  const { subject, asked, state } = queue();
  subject.add([clip('a')]);
  const { sending } = asked.get('a');
  sending.onProgress(5, 9);
  assert.deepEqual([state().rows[0].sent, state().rows[0].total], [5, 9]);
  sending.onSent();
  assert.equal(state().rows[0].state, 'reading');
});

test('one failure is one row, which can be tried again', async () => {
  const { subject, state, states, fail, succeed } = queue();
  subject.add(['a', 'b'].map(clip));
  await fail('a', { failure: { kind: 'refused', message: 'Damaged sound.' } });
  await succeed('b');
  assert.deepEqual(states(), ['failed', 'done']);
  assert.equal(noteOf(state().rows[0]), 'Damaged sound.');
  subject.retryFailed();
  await succeed('a');
  assert.deepEqual(states(), ['done', 'done']);
});

test('a paused batch begins with nothing more until it goes on', async () => {
  const { subject, states, succeed } = queue({ atOnce: 1 });
  subject.add(['a', 'b'].map(clip));
  subject.pause();
  await succeed('a');
  assert.deepEqual(states(), ['done', 'waiting']);
  subject.resume();
  assert.deepEqual(states(), ['done', 'sending']);
});

test('a busy server makes the whole batch wait, and it goes on by itself', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const { subject, state, states, fail, succeed } = queue();
  subject.add(['a', 'b', 'c'].map(clip));
  await fail('a', { hold: 'rate', seconds: 3 });
  await fail('b', { hold: 'rate', seconds: 3 });
  assert.deepEqual(states(), ['waiting', 'waiting', 'waiting']);
  assert.deepEqual(state().hold, { reason: 'rate', seconds: 3 });
  t.mock.timers.tick(1000);
  assert.deepEqual(state().hold, { reason: 'rate', seconds: 2 });
  t.mock.timers.tick(2000);
  assert.deepEqual(states(), ['sending', 'sending', 'waiting']);
  await succeed('a');
  assert.equal(state().hold, null);
});

test('after three pauses without an answer the batch waits for its user', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const { subject, state, fail, states } = queue({ atOnce: 1 });
  subject.add([clip('a')]);
  for (let pauses = 0; pauses < 3; pauses += 1) {
    await fail('a', { hold: 'busy', seconds: 1 });
    t.mock.timers.tick(1000);
  }
  await fail('a', { hold: 'busy', seconds: 1 });
  assert.equal(state().hold.seconds, null);
  subject.resume();
  assert.deepEqual(states(), ['sending']);
});

test('a clip that is taken out gives up its request', async () => {
  const { subject, asked, state, states } = queue({ atOnce: 1 });
  subject.add(['a', 'b'].map(clip));
  subject.remove(state().rows[0].id);
  await settled();
  assert.equal(asked.get('a').signal.aborted, true);
  assert.deepEqual(states(), ['sending']);
  subject.clear();
  await settled();
  assert.deepEqual(state().rows, []);
});

const row = (id, name, more = {}) => ({
  id,
  name,
  file: new File([], name),
  state: 'waiting',
  seconds: 0,
  answer: null,
  failure: null,
  ...more,
});

test('names sort by their numbers, and rows without a value are last either way', () => {
  const rows = [
    row(1, 'a10', { answer: answerOf('sad', 0.6) }),
    row(2, 'a2', { answer: answerOf('happy', 0.9) }),
    row(3, 'a1'),
  ];
  const order = (by, isDescending) => sorted(rows, { by, isDescending }).map(({ id }) => id);
  assert.deepEqual(order('name', false), [3, 2, 1]);
  assert.deepEqual(order('share', false), [1, 2, 3]);
  assert.deepEqual(order('share', true), [2, 1, 3]);
  assert.deepEqual(
    sorted(rows, null).map(({ id }) => id),
    [1, 2, 3],
  );
});

test('the time left follows from what the clips before took', () => {
  const rows = [
    row(1, 'a', { state: 'done', seconds: 4 }),
    row(2, 'b', { state: 'done', seconds: 2 }),
    row(3, 'c'),
    row(4, 'd'),
  ];
  assert.equal(timeLeft(rows, 2), 3);
  assert.equal(timeLeft(rows.slice(2), 2), null);
  assert.deepEqual(countsOf(rows), { done: 2, failed: 0, running: 0, all: 4, ended: 2 });
});

test('a clip is known by its type, or by its name where there is none', () => {
  const is = (name, type) => mayBeClip(new File([], name, { type }));
  assert.equal(is('a', 'video/mp4'), true);
  assert.equal(is('a.MKV', ''), true);
  assert.equal(is('a.jpg', 'image/jpeg'), true);
  assert.equal(is('a.gif', 'image/gif'), false);
  assert.equal(is('mp4.txt', 'text/plain'), false);
});

test('results that were not saved, and clips under way, are not left without a question', () => {
  const rows = [row(1, 'a', { state: 'done' })];
  const of = (many, live = LIVE_OFF) => hasUnsaved({ many: { ...NO_CLIPS, ...many }, live });
  assert.equal(of({}), false);
  assert.equal(of({ rows }), false);
  assert.equal(of({ rows, isSaved: false }), true);
  assert.equal(of({ rows: [row(1, 'a')] }), true);
  assert.equal(of({}, { ...LIVE_OFF, isSaved: false }), true);
});
