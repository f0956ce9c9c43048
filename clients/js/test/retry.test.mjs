/** Asking again, and how long is waited before. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  BadRequestError,
  ConnectionFailed,
  EmotionLLaMA,
  OverloadedError,
} from 'emotion-llama-sdk';

import { askedPause, backoff } from '../dist/retry.js';
import { ANSWER, refuse, serve } from './support.mjs';

const AT_ONCE = { 'Retry-After': '0' };

for (const status of [429, 503]) {
  test(`status ${status} is asked again`, async (t) => {
    let sent = 0;
    const apiUrl = await serve(t, (_, response) =>
      ++sent < 3 ? refuse(response, status, {}, AT_ONCE) : ANSWER,
    );
    const result = await new EmotionLLaMA({ apiUrl }).analyze({ videoPath: 'x' });
    assert.equal(result.emotion, 'happy');
    assert.equal(sent, 3);
  });
}

test('it is asked again at most as often as was said', async (t) => {
  let sent = 0;
  const apiUrl = await serve(t, (_, response) => {
    sent += 1;
    refuse(response, 503, {}, AT_ONCE);
  });
  const client = new EmotionLLaMA({ apiUrl, maxRetries: 4 });
  await assert.rejects(client.analyze({ videoPath: 'x' }), OverloadedError);
  assert.equal(sent, 5);
});

test('another failure is not asked about again', async (t) => {
  let sent = 0;
  const apiUrl = await serve(t, (_, response) => {
    sent += 1;
    refuse(response, 400, {}, AT_ONCE);
  });
  await assert.rejects(new EmotionLLaMA({ apiUrl }).analyze({ videoPath: 'x' }), BadRequestError);
  assert.equal(sent, 1);
});

test('it waits as long as it is asked to', async (t) => {
  const times = [];
  const apiUrl = await serve(t, (_, response) => {
    times.push(Date.now());
    return times.length < 2 ? refuse(response, 429, {}, { 'Retry-After': '1' }) : ANSWER;
  });
  await new EmotionLLaMA({ apiUrl }).analyze({ videoPath: 'x' });
  assert.ok(times[1] - times[0] >= 990);
});

for (const written of ['', '{"emotion": "hap']) {
  test(`a connection that fails is tried again, behind ${written || 'nothing'}`, async (t) => {
    let sent = 0;
    const apiUrl = await serve(t, (_, response) => {
      sent += 1;
      if (sent > 1) {
        return ANSWER;
      }
      response.write(written, () => response.destroy());
    });
    const result = await new EmotionLLaMA({ apiUrl }).analyze({ videoPath: 'x' });
    assert.equal(result.emotion, 'happy');
    assert.equal(sent, 2);
  });
}

test('a connection that always fails', async (t) => {
  let sent = 0;
  const apiUrl = await serve(t, (_, response) => {
    sent += 1;
    response.destroy();
  });
  const client = new EmotionLLaMA({ apiUrl, maxRetries: 1 });
  await assert.rejects(client.analyze({ videoPath: 'x' }), ConnectionFailed);
  assert.equal(sent, 2);
});

test('the pause that is asked for, in seconds or by a date, up to a minute', () => {
  const inHalfAMinute = new Date(Date.now() + 30_000).toUTCString();
  const pause = askedPause(inHalfAMinute);
  assert.ok(pause > 25 && pause <= 30);
  assert.equal(askedPause(' 7 '), 7);
  assert.equal(askedPause('0'), 0);
  assert.equal(askedPause('999999'), 60);
  assert.equal(askedPause('Wed, 21 Oct 2015 07:28:00 GMT'), 0);
  for (const nonsense of [null, '', '-1', '1.5', 'soon', 'soon GMT']) {
    assert.equal(askedPause(nonsense), undefined);
  }
});

test('the pauses that nobody asks for grow', () => {
  for (const [failures, most] of [0.5, 1, 2, 4, 8, 8].entries()) {
    const pause = backoff(failures);
    assert.ok(pause >= most / 2 && pause <= most);
  }
});
