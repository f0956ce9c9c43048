/** The messages of a chat. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagesOf, spoken } from '../chat/messages.js';

const turn = (question, answer = '') => ({ question, answer, state: 'done', failure: null });

test('the first message has the clip, the transcript and the task', () => {
  assert.deepEqual(messagesOf('a.mp4', 'I know. ', [turn('Why?')]), [
    {
      role: 'user',
      content: [
        { type: 'video_url', video_url: { url: 'a.mp4' } },
        { type: 'text', text: 'The person in video says: I know..  [reason] Why?' },
      ],
    },
  ]);
});

test('a question keeps a tag of its own', () => {
  const [message] = messagesOf('a.mp4', '', [turn('[audio] How does it sound?')]);
  assert.equal(message.content[1].text, 'The person in video says: .  [audio] How does it sound?');
});

test('further questions come with what was asked and answered before', () => {
  const messages = messagesOf('a.mp4', '', [turn('Why?', 'A smile.'), turn('Sure?')]);
  assert.deepEqual(messages.slice(1), [
    { role: 'assistant', content: 'A smile.' },
    { role: 'user', content: 'Sure?' },
  ]);
});

test('a tag is not shown', () => {
  assert.equal(spoken('[visual] What is seen?'), 'What is seen?');
  assert.equal(spoken('What [is] seen?'), 'What [is] seen?');
});
