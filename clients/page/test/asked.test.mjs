/** What is asked: the form as options, windows that suit the clip, and labels from a text. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedOptions } from '../core/asked.js';
import { labelsOf } from '../core/form.js';
import { expectedWindows, windowsFor } from '../core/windows.js';

const form = {
  task: 'both',
  question: null,
  transcript: '',
  isHeard: false,
  labels: null,
  frame: 'first',
  hasTimeline: false,
  window: null,
  step: null,
};
const settings = {
  language: 'en',
  answerLanguage: 'page',
  temperature: 0,
  maxTokens: 256,
  seed: null,
};

test('what the server takes by default is left out', () => {
  assert.deepEqual(askedOptions({ form, settings, duration: 4 }), { task: 'both' });
});

test('the server writes the transcript where none is given', () => {
  const heard = { ...form, isHeard: true };
  const asked = (transcript) =>
    askedOptions({ form: { ...heard, transcript }, settings, duration: 4 });
  assert.deepEqual(asked(' '), { task: 'both', transcribe: true });
  assert.deepEqual(asked('Hello'), { task: 'both', transcript: 'Hello' });
});

test('everything that was chosen is asked', () => {
  const chosen = {
    form: {
      ...form,
      task: 'reason',
      question: ' How? ',
      transcript: ' I know ',
      labels: ['a', 'b'],
      frame: 0,
      hasTimeline: true,
    },
    settings: { ...settings, language: 'zh', temperature: 0.5, maxTokens: 64, seed: 0 },
    duration: 4,
  };
  assert.deepEqual(askedOptions(chosen), {
    task: 'reason',
    question: 'How?',
    transcript: 'I know',
    labels: ['a', 'b'],
    frame: 0,
    timeline: { window: 1, step: 0.5 },
    language: 'zh',
    temperature: 0.5,
    maxTokens: 64,
    seed: 0,
  });
});

test('a picture has neither a timeline nor another frame', () => {
  const wished = { ...form, hasTimeline: true, frame: 'middle' };
  assert.deepEqual(askedOptions({ form: wished, settings, duration: 0 }), { task: 'both' });
});

test('windows suit the length of the clip', () => {
  const of = (duration) => Object.values(windowsFor(form, duration));
  assert.deepEqual([10, 60, 600, 601].map(of), [
    [1, 0.5],
    [2, 1],
    [5, 2.5],
    [10, 5],
  ]);
  assert.deepEqual(of(null), [2, 1]);
  assert.deepEqual(windowsFor({ window: 4, step: null }, 5), { window: 4, step: 2 });
  assert.deepEqual(windowsFor({ window: null, step: 0.25 }, 5), { window: 1, step: 0.25 });
});

test('windows are counted as the server makes them', () => {
  assert.equal(expectedWindows(0.7, 1, 0.5), 1);
  assert.equal(expectedWindows(3, 1, 0.5), 5);
  assert.equal(expectedWindows(3.05, 1, 0.5), 5);
  assert.equal(expectedWindows(3.2, 1, 0.5), 6);
  assert.equal(expectedWindows(3.7, 1, 2), 2);
});

test('labels stand between commas of either language, each once', () => {
  assert.deepEqual(labelsOf(' glad, bored，tired、glad\n'), ['glad', 'bored', 'tired']);
  assert.equal(labelsOf(' , '), null);
});
