/** Tests how a timeline is laid out. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { fitted, scaleOf, ticksOf, within } from '../timeline/draw/scale.js';
import { cellAt, cellsOf, lanesOf, outlineOf, runsOf } from '../timeline/layout.js';

/** Windows of 1 s, one every 0.5 s, of a clip of 2.667 s; the last one ends with the clip. */
const STARTS = [0, 0.5, 1, 1.5, 1.667];
const windows = STARTS.map((start, index) =>
  windowAt(start, start + 1, index < 2 ? 'sad' : 'happy'),
);

function windowAt(start, end, emotion, share = 0.75) {
  const other = emotion === 'sad' ? 'happy' : 'sad';
  return {
    start,
    end,
    emotion,
    confidence: share,
    probabilities: { [emotion]: share, [other]: 1 - share },
  };
}

function edges(cells) {
  return cells.map(({ from, to }) => [from, to].map((time) => Number(time.toFixed(4))));
}

test('overlapping windows share the time between their centres and cover the clip', () => {
  const cells = edges(cellsOf(windows, { step: 0.5, duration: 2.667 }));
  assert.deepEqual(cells, [
    [0, 0.75],
    [0.75, 1.25],
    [1.25, 1.75],
    [1.75, 2.0835],
    [2.0835, 2.667],
  ]);
});

test('a window that has not come yet leaves its place empty', () => {
  const some = [windows[0], windows[2]];
  assert.deepEqual(edges(cellsOf(some, { step: 0.5, duration: 2.667 })), [
    [0, 0.75],
    [1.25, 1.75],
  ]);
});

test('nothing is drawn where no window looked', () => {
  const apart = [windowAt(0, 1, 'sad'), windowAt(3, 4, 'sad')];
  assert.deepEqual(edges(cellsOf(apart, { step: 3, duration: 4 })), [
    [0, 1],
    [3, 4],
  ]);
  assert.equal(runsOf(cellsOf(apart)).length, 2);
});

test('the single window of a short clip fills it', () => {
  assert.deepEqual(edges(cellsOf([windowAt(0, 0.4, 'sad')], { step: 1, duration: 0.4 })), [
    [0, 0.4],
  ]);
});

test('the cell at a time is found, and none in a gap', () => {
  const cells = [
    { from: 0, to: 1 },
    { from: 1, to: 2 },
    { from: 3, to: 4 },
  ];
  const found = [0, 0.99, 1, 2, 2.5, 3, 4, 4.1].map((time) => cellAt(cells, time));
  assert.deepEqual(found, [0, 0, 1, -1, -1, 2, 2, -1]);
  assert.equal(cellAt([], 0), -1);
});

test('neighbours with the same label are one run', () => {
  const runs = runsOf(cellsOf(windows, { step: 0.5, duration: 2.667 }));
  assert.deepEqual(
    runs.map(({ label, from, to }) => [label, from, to]),
    [
      ['sad', 0, 1.25],
      ['happy', 1.25, 2.667],
    ],
  );
});

test('eight labels have a lane each, in their own order', () => {
  const labels = 'hgfedcba'.split('');
  assert.deepEqual(
    lanesOf([], labels).map((lane) => lane.label),
    labels,
  );
});

test('of 64 labels the seven with the highest mean have lanes, the rest one together', () => {
  const labels = Array.from({ length: 64 }, (_, index) => `label ${index}`);
  const probabilities = Object.fromEntries(labels.map((label, index) => [label, index / 2016]));
  const lanes = lanesOf([{ start: 0, end: 1, probabilities }], labels);
  const highest = [
    'label 57',
    'label 58',
    'label 59',
    'label 60',
    'label 61',
    'label 62',
    'label 63',
  ];
  assert.deepEqual(
    lanes.map((lane) => lane.label),
    [...highest, null],
  );
  assert.equal(lanes[7].count, 57);
  const sum = lanes.reduce((total, lane) => total + lane.share({ probabilities }), 0);
  assert.ok(Math.abs(sum - 1) < 1e-9);
});

test('an outline is as high as the shares and falls to the ground in a gap', () => {
  const cells = cellsOf([windowAt(0, 1, 'sad', 0.25), windowAt(3, 4, 'sad', 1)]);
  const [lane] = lanesOf([], ['sad', 'happy']);
  const d = outlineOf(cells, lane, scaleOf({ from: 0, to: 4 }, 400), 40);
  assert.equal(d, 'M0 40V30H100V40ZM300 40V0H400V40Z');
  assert.equal(
    outlineOf([], lane, (time) => time, 40),
    '',
  );
});

test('ticks are round numbers that stand apart', () => {
  assert.deepEqual(ticksOf({ from: 0, to: 4.5 }, 450), [0, 1, 2, 3, 4]);
  assert.deepEqual(ticksOf({ from: 0.25, to: 1 }, 450), [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  assert.deepEqual(
    ticksOf({ from: 0, to: 3600 }, 700),
    [0, 300, 600, 900, 1200, 1500, 1800, 2100, 2400, 2700, 3000, 3300, 3600],
  );
  assert.deepEqual(ticksOf({ from: 0, to: 0 }, 700), []);
});

test('only what is visible is drawn', () => {
  const cells = [
    { from: 0, to: 1 },
    { from: 1, to: 2 },
    { from: 2, to: 3 },
  ];
  assert.deepEqual(within(cells, { from: 1, to: 1.5 }), [{ from: 1, to: 1.5 }]);
});

test('a word is cut where its place ends', () => {
  assert.equal(fitted('surprise', 60), 'surprise');
  assert.equal(fitted('surprise', 50), 'surpri…');
  assert.equal(fitted('surprise', 15), '');
  assert.equal(fitted('惊讶', 26), '惊讶');
  assert.equal(fitted('惊讶', 20), '');
});
