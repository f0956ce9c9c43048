/** Streams: events in pieces of any size, errors midway, breaks. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import * as sdk from 'emotion-llama-sdk';

import { readEvents } from '../dist/events.js';
import { ANSWER, all, refuse, serve } from './support.mjs';

const { EmotionLLaMA } = sdk;
const NUMBERS = { emotion: 'happy', confidence: 0.9, probabilities: { happy: 0.9, sad: 0.1 } };
const EVENTS = [
  { type: 'emotion', data: { ...NUMBERS, answer: 'happy', answer_matches: true } },
  { type: 'explanation.delta', data: { delta: '嘴角上扬\u2028\n\nso' } },
  { type: 'timeline.window', data: { ...NUMBERS, start: 0, end: 1 } },
  { type: 'done', data: ANSWER },
];
const UNKNOWN = [
  { type: 'something.new', data: { x: 1 } },
  { type: 'toString', data: {} },
];
const HEADERS = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Request-Id': 'r1' };
const ERROR = { message: 'the engine died', type: 'x', param: null, code: 500 };

function written(events, end = '\n') {
  return events
    .map(({ type, data }) => {
      const name = type ? `event: ${type}${end}` : '';
      return `: a comment${end}${name}data: ${JSON.stringify(data)}${end}${end}`;
    })
    .join('');
}

/** The text as it comes in pieces of so many bytes. */
async function* inPieces(text, size) {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  for (let start = 0; start < bytes.length; start += size) {
    yield decoder.decode(bytes.subarray(start, start + size), { stream: true });
  }
}

/** A client of a server that sends a stream, which stays open without `isOver`. */
async function streaming(t, text, { isOver = true, ...options } = {}) {
  const apiUrl = await serve(t, (request, response) => {
    assert.equal(JSON.parse(request.body).stream, true);
    response.writeHead(200, HEADERS).write(text);
    if (isOver) {
      response.end();
    }
  });
  return new EmotionLLaMA({ apiUrl, ...options });
}

for (const size of [1, 2, 7, 100_000]) {
  for (const end of ['\n', '\r\n', '\r']) {
    for (const start of ['', '\ufeff', `event: emotion${end}${end}`]) {
      const named = JSON.stringify([size, end, start]);
      test(`events in pieces: size, line end and start ${named}`, async () => {
        const sent = [{ type: '', data: { x: 1 } }, ...UNKNOWN, ...EVENTS];
        const pieces = inPieces(start + written(sent, end), size);
        const head = { status: 200, contentType: 'text/event-stream' };
        assert.deepEqual(await all(readEvents(head, pieces)), EVENTS);
      });
    }
  }
}

test('events over several lines, without spaces', async (t) => {
  const text = `event:explanation.delta\ndata:{"delta":\ndata:"so"}\nid\n\n${written(EVENTS)}`;
  const client = await streaming(t, text);
  const [first] = await all(client.stream({ videoPath: 'x' }));
  assert.deepEqual(first, { type: 'explanation.delta', data: { delta: 'so' } });
});

test('events as they come', async (t) => {
  let go;
  const apiUrl = await serve(t, async (_, response) => {
    response.writeHead(200, HEADERS);
    for (const { type, data } of EVENTS) {
      const bytes = new TextEncoder().encode(written([{ type, data }]));
      response.write(bytes.subarray(0, 50));
      await new Promise((resolve) => setTimeout(resolve, 5));
      response.write(bytes.subarray(50));
      await new Promise((resolve) => (go = resolve));
    }
    response.end();
  });
  const types = [];
  for await (const event of new EmotionLLaMA({ apiUrl }).stream({ videoPath: 'x' })) {
    types.push(event.type);
    setTimeout(() => go(), 5); // the next one is sent only when this one has come
  }
  assert.deepEqual(types, ['emotion', 'explanation.delta', 'timeline.window', 'done']);
});

test('an error midway is thrown', async (t) => {
  const error = { type: 'error', data: { error: ERROR } };
  const client = await streaming(t, written([EVENTS[0], error]));
  await assert.rejects(all(client.stream({ videoPath: 'x' })), (thrown) => {
    assert.equal(thrown.constructor, sdk.ServerError);
    assert.equal(thrown.message, 'the engine died');
    assert.deepEqual([thrown.status, thrown.requestId], [500, 'r1']);
    return true;
  });
});

test('an error midway has the status of its code', async (t) => {
  const error = { type: 'error', data: { error: { ...ERROR, code: 'server_unavailable' } } };
  const client = await streaming(t, written([error]));
  await assert.rejects(all(client.stream({ videoPath: 'x' })), (thrown) => {
    assert.equal(thrown.constructor, sdk.OverloadedError);
    assert.deepEqual([thrown.status, thrown.code], [503, 'server_unavailable']);
    return true;
  });
});

test('an error midway whose code is of a later version', async (t) => {
  const error = { type: 'error', data: { error: { ...ERROR, code: 'a_word' } } };
  const client = await streaming(t, written([error]));
  await assert.rejects(all(client.stream({ videoPath: 'x' })), (thrown) => {
    assert.equal(thrown.constructor, sdk.EmotionLLaMAError);
    assert.deepEqual([thrown.status, thrown.code], [undefined, 'a_word']);
    return true;
  });
});

for (const text of ['', written(EVENTS.slice(0, 2)), written(EVENTS).slice(0, -30)]) {
  test(`a stream that breaks off after ${text.length} characters is no answer`, async (t) => {
    const client = await streaming(t, text);
    await assert.rejects(all(client.stream({ videoPath: 'x' })), sdk.InvalidAnswer);
  });
}

test('a connection that breaks off', async (t) => {
  const apiUrl = await serve(t, (_, response) => {
    response.writeHead(200, HEADERS);
    response.write(written(EVENTS.slice(0, 1)), () => response.destroy());
  });
  const found = new EmotionLLaMA({ apiUrl }).stream({ videoPath: 'x' });
  await assert.rejects(all(found), sdk.ConnectionFailed);
});

test('an answer that is no stream', async (t) => {
  const apiUrl = await serve(t, () => ANSWER);
  const found = new EmotionLLaMA({ apiUrl }).stream({ videoPath: 'x' });
  await assert.rejects(all(found), /A stream was requested, but the answer is application\/json/);
});

test('an event that cannot be read', async (t) => {
  const client = await streaming(t, 'event: emotion\ndata: {}\n\n');
  await assert.rejects(all(client.stream({ videoPath: 'x' })), sdk.InvalidAnswer);
});

test('a refusal has its status', async (t) => {
  const apiUrl = await serve(t, (_, response) => refuse(response, 400));
  const found = new EmotionLLaMA({ apiUrl }).stream({ videoPath: 'x' });
  await assert.rejects(all(found), sdk.BadRequestError);
});

test('a stream that falls silent', async (t) => {
  const client = await streaming(t, written(EVENTS.slice(0, 1)), { isOver: false, timeout: 0.1 });
  await assert.rejects(all(client.stream({ videoPath: 'x' })), sdk.RequestTimeout);
});

test('a caller may take longer than the server', async (t) => {
  const client = await streaming(t, written(EVENTS), { timeout: 0.1 });
  for await (const event of client.stream({ videoPath: 'x' })) {
    if (event.type === 'emotion') {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
});

test('a signal gives a stream up, even one that has come as a whole', async (t) => {
  for (const isOver of [true, false]) {
    const client = await streaming(t, written(EVENTS), { isOver });
    const controller = new AbortController();
    const types = [];
    const loop = async () => {
      for await (const event of client.stream({ videoPath: 'x', signal: controller.signal })) {
        types.push(event.type);
        controller.abort();
      }
    };
    await assert.rejects(loop(), { name: 'AbortError' });
    assert.deepEqual(types, ['emotion']);
  }
});

test('a loop that is left hangs up', async (t) => {
  let closed;
  const apiUrl = await serve(t, (_, response) => {
    closed = once(response, 'close');
    response.writeHead(200, HEADERS).write(written(EVENTS));
  });
  for await (const event of new EmotionLLaMA({ apiUrl }).stream({ videoPath: 'x' })) {
    assert.equal(event.type, 'emotion');
    break;
  }
  await closed;
});
