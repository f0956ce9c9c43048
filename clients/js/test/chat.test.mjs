/** Chats: what is sent, and what is made of OpenAI's events. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import * as sdk from 'emotion-llama-sdk';

import { all, refuse, serve } from './support.mjs';

const { EmotionLLaMA } = sdk;
const HEADERS = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Request-Id': 'r1' };
const MESSAGES = [{ role: 'user', content: 'why?' }];
const ERROR = { message: 'the engine died', type: 'x', param: null, code: 500 };

function chunk(delta, finish_reason = null) {
  return { choices: [{ index: 0, delta, finish_reason }] };
}

const CHUNKS = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'The face' }),
  chunk({ content: ' 微笑' }),
  chunk({ content: '' }, 'length'),
  { choices: [], usage: { total_tokens: 9 } },
];

function written(events) {
  return events
    .map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
    .join('');
}

/** A client of a server that answers so, and the bodies that came. */
async function chatting(t, text = written([...CHUNKS, '[DONE]']), { isOver = true } = {}) {
  const sent = [];
  const apiUrl = await serve(t, (request, response) => {
    assert.equal(`${request.method} ${request.url}`, 'POST /v1/chat/completions');
    sent.push({ ...JSON.parse(request.body), session: request.headers['x-session-id'] });
    response.writeHead(200, HEADERS).write(text);
    if (isOver) {
      response.end();
    }
  });
  return { client: new EmotionLLaMA({ apiUrl }), sent };
}

test('the pieces of an answer, with the reason of its end', async (t) => {
  const { client } = await chatting(t);
  assert.deepEqual(await all(client.chat({ videoPath: 'x.mp4', messages: MESSAGES })), [
    { delta: 'The face', finishReason: null },
    { delta: ' 微笑', finishReason: null },
    { delta: '', finishReason: 'length' },
  ]);
});

test('the clip stands in the first question of the conversation', async (t) => {
  const { client, sent } = await chatting(t);
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Which emotion?' },
    { role: 'assistant', content: 'happy' },
    { role: 'user', content: 'Why?' },
  ];
  const options = { model: 'm', temperature: 0.5, maxTokens: 9, seed: 3 };
  await all(client.chat({ videoPath: 'on/the/server.mp4', messages, ...options }));
  const { session, ...body } = sent[0];
  const clip = { type: 'video_url', video_url: { url: 'on/the/server.mp4' } };
  const first = { role: 'user', content: [clip, { type: 'text', text: 'Which emotion?' }] };
  assert.deepEqual(body, {
    model: 'm',
    temperature: 0.5,
    max_tokens: 9,
    seed: 3,
    stream: true,
    messages: [messages[0], first, ...messages.slice(2)],
  });
  assert.match(session, /^[0-9a-f]{64}$/);
});

test('a clip itself is sent as a data URL, and has the session of the same clip', async (t) => {
  const { client, sent } = await chatting(t);
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
  const url = `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`;
  for (const clip of [{ video: bytes }, { video: new Blob([bytes]) }, { videoPath: url }]) {
    await all(client.chat({ ...clip, messages: MESSAGES }));
  }
  for (const { messages, session } of sent) {
    assert.equal(messages[0].content[0].video_url.url, url);
    assert.equal(session, sent[0].session);
  }
});

test('a local file that the server cannot read is sent', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'clips-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'clip.mp4');
  await writeFile(file, 'clip');
  const urls = [];
  const apiUrl = await serve(t, (request, response) => {
    const { url } = JSON.parse(request.body).messages[0].content[0].video_url;
    urls.push(url);
    if (url === file) {
      refuse(response, 400, { code: 'video_not_readable' });
    } else {
      response.writeHead(200, HEADERS).end(written([...CHUNKS, '[DONE]']));
    }
  });
  await all(new EmotionLLaMA({ apiUrl }).chat({ videoPath: file, messages: MESSAGES }));
  assert.deepEqual(urls, [file, 'data:application/octet-stream;base64,Y2xpcA==']);
});

test('what cannot be asked is refused before it is sent', async (t) => {
  const { client, sent } = await chatting(t);
  const videoPath = 'x';
  for (const asked of [
    { messages: MESSAGES },
    { messages: MESSAGES, videoPath, video: new Blob() },
    { messages: [], videoPath },
    { messages: [{ role: 'system', content: 'so' }], videoPath },
    { messages: MESSAGES, videoPath, temperature: Number.NaN },
  ]) {
    await assert.rejects(all(client.chat(asked)), TypeError);
  }
  assert.deepEqual(sent, []);
});

test('an error midway is thrown with the status of its code', async (t) => {
  const error = { ...ERROR, code: 'server_unavailable' };
  const { client } = await chatting(t, written([...CHUNKS.slice(0, 2), { error }, '[DONE]']));
  const pieces = [];
  const loop = async () => {
    for await (const { delta } of client.chat({ videoPath: 'x', messages: MESSAGES })) {
      pieces.push(delta);
    }
  };
  await assert.rejects(loop(), (thrown) => {
    assert.equal(thrown.constructor, sdk.OverloadedError);
    assert.deepEqual([thrown.status, thrown.requestId], [503, 'r1']);
    return true;
  });
  assert.deepEqual(pieces, ['The face']);
});

test('a refusal has its status and code', async (t) => {
  const apiUrl = await serve(t, (_, response) =>
    refuse(response, 400, { code: 'context_length_exceeded' }),
  );
  const found = new EmotionLLaMA({ apiUrl }).chat({ videoPath: 'x', messages: MESSAGES });
  await assert.rejects(all(found), { status: 400, code: 'context_length_exceeded' });
});

for (const text of ['', written(CHUNKS), 'data: {"x": 1}\n\n', 'data: so\n\n']) {
  test(`what is no whole answer is an error: ${JSON.stringify(text.slice(0, 20))}`, async (t) => {
    const { client } = await chatting(t, text);
    const found = client.chat({ videoPath: 'x', messages: MESSAGES });
    await assert.rejects(all(found), sdk.InvalidAnswer);
  });
}

test('an answer that is no stream', async (t) => {
  const apiUrl = await serve(t, () => ({ choices: [] }));
  const found = new EmotionLLaMA({ apiUrl }).chat({ videoPath: 'x', messages: MESSAGES });
  await assert.rejects(all(found), /A stream was requested, but the answer is application\/json/);
});

test('a signal gives an answer up', async (t) => {
  const { client } = await chatting(t, undefined, { isOver: false });
  const controller = new AbortController();
  const loop = async () => {
    const { signal } = controller;
    for await (const _ of client.chat({ videoPath: 'x', messages: MESSAGES, signal })) {
      controller.abort();
    }
  };
  await assert.rejects(loop(), { name: 'AbortError' });
});

test('a loop that is left hangs up', async (t) => {
  let closed;
  const apiUrl = await serve(t, (_, response) => {
    closed = once(response, 'close');
    response.writeHead(200, HEADERS).write(written(CHUNKS));
  });
  for await (const _ of new EmotionLLaMA({ apiUrl }).chat({ videoPath: 'x', messages: MESSAGES })) {
    break;
  }
  await closed;
});
