/** Colours of labels: distinct, the same everywhere, kept on the device. */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

const kept = new Map();
globalThis.localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
};
const { resetColours, slotOf } = await import('../core/colours.js');

const key = ({ colour, pattern }) => `${colour}-${pattern}`;

beforeEach(resetColours);

test('64 labels have 64 colour and pattern pairs', () => {
  const known = ['happy', 'sad', 'angry', 'worried', 'fear', 'surprise', 'disgust', 'contempt'];
  const others = Array.from({ length: 54 }, (_, index) => `label ${index}`);
  const slots = [...known, 'doubt', 'neutral', ...others].map((label) => key(slotOf(label)));
  assert.equal(new Set(slots).size, 64);
});

test('a label has the same in both languages and any case', () => {
  assert.deepEqual(slotOf('Happy'), slotOf('高兴'));
  assert.deepEqual(slotOf('bored'), slotOf(' BORED '));
});

test('a label keeps its own whatever comes before or after it', () => {
  const bored = slotOf('bored');
  slotOf('tired');
  assert.deepEqual(slotOf('bored'), bored);
  assert.deepEqual(JSON.parse(kept.get('emotion-llama.colours')).bored, bored);
});

test('solid colours are given out before patterns', () => {
  const slots = ['one', 'two', 'three'].map(slotOf);
  assert.notEqual(slots[0].colour, slots[1].colour);
  assert.deepEqual(
    slots.map(({ pattern }) => pattern),
    [1, 1, 1],
  );
});
