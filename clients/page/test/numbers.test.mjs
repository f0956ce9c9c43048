/** Honest numbers: shares, headlines, times and sizes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headline, megabytes, percent, ranked } from '../core/numbers.js';
import { clock, secondsText } from '../core/time.js';
import { en } from '../strings/en.js';
import { zh } from '../strings/zh.js';

test('no share is told as nothing or as all', () => {
  assert.equal(percent(en, 0.9999), 'over 99 %');
  assert.equal(percent(en, 1), 'over 99 %');
  assert.equal(percent(en, 0), 'under 1 %');
  assert.equal(percent(en, 0.994), '99 %');
  assert.equal(percent(zh, 0.9999), '超过 99%');
});

test('labels are ranked, equal ones as they came', () => {
  const names = ranked({ a: 0.2, b: 0.5, c: 0.2 }).map(([label]) => label);
  assert.deepEqual(names, ['b', 'a', 'c']);
});

test('the headline says how clear the first label is', () => {
  assert.equal(
    headline(en, { happy: 0.93, surprise: 0.04 }),
    'The model leans strongly to happy (93 %).',
  );
  assert.equal(
    headline(en, { happy: 0.6, sad: 0.3 }),
    'The model leans to happy (60 %), then sad (30 %).',
  );
  assert.equal(
    headline(en, { happy: 0.34, sad: 0.33, angry: 0.33 }),
    'No clear label: happy, sad, angry.',
  );
  assert.equal(headline(en, { happy: 0.55, sad: 0.45 }), 'No clear label: happy, sad.');
});

test('beside well-known labels Chinese readers find a translation', () => {
  assert.equal(
    headline(zh, { happy: 0.93, bored: 0.04 }),
    '模型明显倾向于“happy（高兴）”（93%）。',
  );
  assert.equal(headline(zh, { bored: 0.93, happy: 0.04 }), '模型明显倾向于“bored”（93%）。');
  assert.equal(
    headline(en, { 高兴: 0.93, x: 0.04 }),
    'The model leans strongly to 高兴 (happy) (93 %).',
  );
});

test('times and sizes are short', () => {
  assert.equal(clock(1.24), '0:01.2');
  assert.equal(clock(59.97), '1:00.0');
  assert.equal(clock(3723.4), '1:02:03.4');
  assert.equal(secondsText(en, 4.5), '4.5 s');
  assert.equal(secondsText(zh, 2, 2), '2 秒');
  assert.equal(megabytes(4_100_000), '4.1');
});
