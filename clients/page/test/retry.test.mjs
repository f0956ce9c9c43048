/** Asking again: when, how often, and how it is cut short. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

globalThis.sessionStorage = globalThis.localStorage = { getItem: () => null, setItem() {} };
const { withRetries } = await import('../net/retry.js');
const { failureOf, pauseOf } = await import('../net/failures.js');
const { BadRequestError, ConnectionFailed, OverloadedError, RateLimitError, ServerError } =
  await import('../vendor/emotion-llama-sdk/index.js');

const { signal } = new AbortController();
const busy = new OverloadedError('busy', { status: 503, retryAfter: 3 });

/** An attempt that fails so often, then gives 7. */
function failing(times, error = busy) {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls <= times) {
      throw error;
    }
    return 7;
  };
}

test('a pause counts down and ends by itself', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const seen = [];
  const run = withRetries(failing(1), { signal, onPause: ({ seconds }) => seen.push(seconds) });
  for (let second = 0; second < 3; second += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    context.mock.timers.tick(1000);
  }
  assert.equal(await run, 7);
  assert.deepEqual(seen, [3, 2, 1]);
});

test('a pause can be ended', async () => {
  assert.equal(await withRetries(failing(2), { signal, onPause: ({ now }) => now() }), 7);
});

test('after four failures it is the turn of the user', async () => {
  const onPause = ({ now }) => now();
  assert.equal(await withRetries(failing(3), { signal, onPause }), 7);
  await assert.rejects(withRetries(failing(4), { signal, onPause }), busy);
});

test('what would fail again is not tried again', async () => {
  const onPause = () => assert.fail('it waited');
  const bad = new BadRequestError('bad', { status: 400 });
  await assert.rejects(withRetries(failing(1, bad), { signal, onPause }), bad);
  const mayRetry = () => false;
  await assert.rejects(withRetries(failing(1), { signal, onPause, mayRetry }), busy);
});

test('an abort ends the pause', async () => {
  const controller = new AbortController();
  const onPause = () => controller.abort(new Error('given up'));
  const run = withRetries(failing(1), { signal: controller.signal, onPause });
  await assert.rejects(run, /given up/);
});

test('each error has its words', () => {
  const kind = (error) => failureOf(error).kind;
  assert.equal(kind(busy), 'busy');
  assert.equal(kind(new RateLimitError('', { status: 429 })), 'rate');
  assert.equal(kind(new ConnectionFailed('')), 'offline');
  assert.equal(kind(new ServerError('', { status: 500 })), 'server');
  assert.equal(kind(new BadRequestError('', { status: 400 })), 'refused');
  assert.deepEqual(pauseOf(busy), { reason: 'busy', seconds: 3 });
  assert.equal(pauseOf(new ServerError('', { status: 500 })), null);
});
