/** The messages of a chat. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagesOf, spoken } from '../chat/messages.js';

const turn = (question, answer = '') => ({ question, answer, state: 'done', failure: null });

test('the first message has the transcript and the task', () => {
  assert.deepEqual(messagesOf('I know. ', [turn('Why?')]), [
    { role: 'user', content: 'The person in video says: I know..  [reason] Why?' },
  ]);
});

test('a question keeps a tag of its own', () => {
  const [message] = messagesOf('', [turn('[audio] How does it sound?')]);
  assert.equal(message.content, 'The person in video says: .  [audio] How does it sound?');
});

test('further questions come with what was asked and answered before', () => {
  const messages = messagesOf('', [turn('Why?', 'A smile.'), turn('Sure?')]);
  assert.deepEqual(messages.slice(1), [
    { role: 'assistant', content: 'A smile.' },
    { role: 'user', content: 'Sure?' },
  ]);
});

test('a tag is not shown', () => {
  assert.equal(spoken('[visual] What is seen?'), 'What is seen?');
  assert.equal(spoken('What [is] seen?'), 'What [is] seen?');
});
