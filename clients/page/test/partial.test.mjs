/** An answer in parts: windows in any order, words one after the other. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_YET, withEvent } from '../core/partial.js';

const windowAt = (start) => ({ type: 'timeline.window', data: { start, end: start + 1 } });
const words = (delta) => ({ type: 'explanation.delta', data: { delta } });

test('windows that come in any order end sorted', () => {
  const { windows } = [2, 0, 3, 1].map(windowAt).reduce(withEvent, NOTHING_YET);
  assert.deepEqual(
    windows.map(({ start }) => start),
    [0, 1, 2, 3],
  );
});

test('the explanation grows', () => {
  assert.equal(
    [words('The '), words('face')].reduce(withEvent, NOTHING_YET).explanation,
    'The face',
  );
});

test('what came before is not changed', () => {
  const before = withEvent(NOTHING_YET, windowAt(1));
  withEvent(before, windowAt(0));
  assert.equal(before.windows.length, 1);
  assert.equal(NOTHING_YET.windows.length, 0);
});

test('events of later versions are passed over', () => {
  assert.equal(withEvent(NOTHING_YET, { type: 'later', data: {} }), NOTHING_YET);
});
