/** Tests where the keys and buttons of a timeline lead. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { change, nearest, stepped, turned, zoomed } from '../timeline/moves.js';

/** Cells of 1 s, and a gap from 3 to 5 s. */
const cells = [
  [0, 'sad'],
  [1, 'sad'],
  [2, 'happy'],
  [5, 'happy'],
  [6, 'sad'],
].map(([from, emotion]) => ({ from, to: from + 1, window: { emotion } }));

test('a step leads to the middle of the next window, and not beyond the last one', () => {
  assert.equal(stepped(cells, 0.2, 1), 1.5);
  assert.equal(stepped(cells, 1.5, -1), 0.5);
  assert.equal(stepped(cells, 0.2, -1), 0.5);
  assert.equal(stepped(cells, 2.5, 1), 5.5);
  assert.equal(stepped(cells, 4, 1), 5.5); // from within the gap
  assert.equal(stepped(cells, 6.5, 10), 6.5);
  assert.equal(stepped([], 1, 1), 1);
  assert.equal(nearest(cells, 4), 2);
});

test('a change leads to where another label begins, or what follows a gap', () => {
  assert.equal(change(cells, 0, 1), 2);
  assert.equal(change(cells, 2, 1), 5);
  assert.equal(change(cells, 2.5, -1), 2);
  assert.equal(change(cells, 2, -1), 0);
  assert.equal(change(cells, 6, 1), null);
  assert.equal(change(cells, 0, -1), null);
});

test('looking closer keeps the position in its place', () => {
  assert.deepEqual(zoomed({ from: 0, to: 100 }, 0.5, 20, 100), { from: 10, to: 60 });
  assert.deepEqual(zoomed({ from: 10, to: 60 }, 0.5, 90, 100), { from: 22.5, to: 47.5 });
  assert.deepEqual(zoomed({ from: 90, to: 100 }, 2, 100, 100), { from: 80, to: 100 });
  assert.equal(zoomed({ from: 10, to: 60 }, 2, 20, 100), null); // the whole
});

test('nothing shorter than a second is looked at', () => {
  const { from, to } = zoomed({ from: 10, to: 11.5 }, 0.5, 10, 100);
  assert.equal(to - from, 1);
});

test('the page turns to the position', () => {
  assert.deepEqual(turned({ from: 0, to: 10 }, 12, 100), { from: 11, to: 21 });
  assert.deepEqual(turned({ from: 50, to: 60 }, 99, 100), { from: 90, to: 100 });
});
