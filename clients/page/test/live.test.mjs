/** Live mode: pieces in turn, backpressure, gaps. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backpressure } from '../live/backpressure.js';
import { latest, lengthOf, withGap } from '../live/windows.js';
import { PieceRecorder } from '../media/live.js';

const piece = (start) => ({ file: new File([], 'piece.webm'), start, end: start + 2 });
const settled = () => new Promise(setImmediate);

function backpressure() {
  const sent = [];
  const dropped = [];
  const ends = [];
  const lanes = new Backpressure({
    send: ({ start }) => {
      sent.push(start);
      return new Promise((resolve) => ends.push(resolve));
    },
    onDropped: ({ start }) => dropped.push(start),
  });
  return { lanes, sent, dropped, ends };
}

test('two pieces are under way at once, and a newer one replaces the one that waits', async () => {
  const { lanes, sent, dropped, ends } = backpressure();
  for (const start of [0, 2, 4, 6]) {
    lanes.offer(piece(start));
  }
  assert.deepEqual(sent, [0, 2]);
  assert.deepEqual(dropped, [4]);
  ends[0]();
  await settled();
  assert.deepEqual(sent, [0, 2, 6]);
});

test('a piece that waits can be dropped', async () => {
  const { lanes, sent, dropped, ends } = backpressure();
  for (const start of [0, 2, 4]) {
    lanes.offer(piece(start));
  }
  lanes.drop();
  ends[0]();
  await settled();
  assert.deepEqual(dropped, [4]);
  assert.deepEqual(sent, [0, 2]);
});

/** Recorders that note what becomes of them, and a clock of the test's. */
function recorder(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const events = [];
  const pieces = [];
  let made = 0;
  let now = 0;
  const cut = new PieceRecorder(/** @type {any} */ ({}), {
    now: () => now,
    onPiece: ({ start, end }) => pieces.push([start, end]),
    onLost: (start, end) => events.push(`lost ${start}-${end}`),
    record: () => {
      const name = made++;
      events.push(`start ${name}`);
      return {
        stop: async () => {
          events.push(`stop ${name}`);
          if (name === 1) {
            throw new Error('The recording failed.');
          }
          return { file: new File([], 'a.webm'), seconds: 2 };
        },
        discard: () => events.push(`discard ${name}`),
      };
    },
  });
  const pass = async (seconds) => {
    now += seconds;
    t.mock.timers.tick(seconds * 1000);
    await settled();
  };
  return { cut, events, pieces, pass };
}

test('the next recorder starts before the last one stops', async (t) => {
  const { cut, events, pieces, pass } = recorder(t);
  cut.start();
  await pass(2);
  assert.deepEqual(events, ['start 0', 'start 1', 'stop 0']);
  assert.deepEqual(pieces, [[0, 2]]);
});

test('a recording that fails is told as lost', async (t) => {
  const { cut, events, pass } = recorder(t);
  cut.start();
  await pass(2);
  await pass(2);
  assert.equal(events.at(-1), 'lost 2-4');
});

test('stopping discards the piece that is being recorded and tells when it had begun', async (t) => {
  const { cut, events, pieces, pass } = recorder(t);
  cut.start();
  await pass(2);
  await pass(1);
  assert.equal(cut.stop(), 2);
  assert.equal(events.at(-1), 'discard 1');
  await pass(9);
  assert.deepEqual(pieces, [[0, 2]]);
});

test('gaps of one reason that touch are one', () => {
  const first = withGap([], { start: 4, end: 6, reason: 'dropped' });
  const second = withGap(first, { start: 6.1, end: 8, reason: 'dropped' });
  const third = withGap(second, { start: 0, end: 2, reason: 'hidden' });
  assert.deepEqual(third, [
    { start: 0, end: 2, reason: 'hidden' },
    { start: 4, end: 8, reason: 'dropped' },
  ]);
  assert.equal(lengthOf(third, 'hidden'), 2);
  assert.equal(lengthOf(third, 'hidden', 'dropped'), 6);
});

test('a gap without length is none', () => {
  assert.deepEqual(withGap([], { start: 4, end: 4, reason: 'paused' }), []);
});

test('the latest part has what ends in it, and 0 seconds mean all', () => {
  const windows = [{ end: 2 }, { end: 41 }, { end: 99 }];
  assert.deepEqual(latest(windows, 100, 60), [{ end: 41 }, { end: 99 }]);
  assert.equal(latest(windows, 100, 0).length, 3);
});
