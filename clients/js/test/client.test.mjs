/** What the client sends, and what it makes of answers. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { EmotionLLaMA, InvalidAnswer } from 'emotion-llama-sdk';

import { ANSWER, all, refuse, serve } from './support.mjs';

/** A server that says yes, and the requests that came. */
async function yes(t) {
  const sent = [];
  const apiUrl = await serve(t, (request) => {
    sent.push(request);
    return ANSWER;
  });
  return { apiUrl, sent };
}

test('the documented call', async (t) => {
  const { apiUrl, sent } = await yes(t);
  const client = new EmotionLLaMA({ apiUrl: `${apiUrl}/`, apiKey: 'secret' });
  const result = await client.analyze({ videoPath: 'on/the/server.mp4', prompt: 'why?' });
  assert.deepEqual(result, ANSWER);
  assert.equal(sent[0].url, '/v1/emotion');
  assert.equal(sent[0].headers.authorization, 'Bearer secret');
  const body = { video: 'on/the/server.mp4', task: 'both', question: 'why?' };
  assert.deepEqual(JSON.parse(sent[0].body), body);
});

test('a function is asked for a fresh token before each request', async (t) => {
  const { apiUrl, sent } = await yes(t);
  let count = 0;
  for (const apiKey of [() => `token-${++count}`, async () => `token-${++count}`]) {
    const client = new EmotionLLaMA({ apiUrl, apiKey });
    await client.analyze({ videoPath: 'x.mp4' });
    await client.analyze({ videoPath: 'x.mp4' });
  }
  const tokens = sent.map(({ headers }) => headers.authorization);
  assert.deepEqual(
    tokens,
    [1, 2, 3, 4].map((number) => `Bearer token-${number}`),
  );
});

test('another `fetch` sends the requests', async (t) => {
  const { apiUrl, sent } = await yes(t);
  const asked = [];
  const fetch = (url, request) => {
    asked.push(`${request.method} ${url} ${request.body.constructor.name}`);
    return globalThis.fetch(url, request);
  };
  const client = new EmotionLLaMA({ apiUrl, fetch });
  assert.deepEqual(await client.analyze({ video: new Blob(['clip']) }), ANSWER);
  assert.deepEqual(asked, [`POST ${apiUrl}/v1/emotion FormData`]);
  assert.equal(sent.length, 1);
});

test('every field is sent under its name on the wire', async (t) => {
  const { apiUrl, sent } = await yes(t);
  const client = new EmotionLLaMA({ apiUrl });
  const same = {
    transcript: 'well',
    labels: ['a', 'b'],
    frame: 1.5,
    timeline: { window: 2, step: 1 },
    language: 'zh',
    temperature: 0.5,
    seed: 3,
  };
  const features = new TextEncoder().encode('abc');
  const videoPath = 'https://x/clip.mp4';
  await client.analyze({ videoPath, ...same, prompt: 'why?', maxTokens: 9, features });
  assert.deepEqual(JSON.parse(sent[0].body), {
    ...same,
    video: 'https://x/clip.mp4',
    task: 'both',
    question: 'why?',
    max_tokens: 9,
    features: 'YWJj',
  });
});

test('what is no field goes along, for the server to refuse it', async (t) => {
  const { apiUrl, sent } = await yes(t);
  await new EmotionLLaMA({ apiUrl }).analyze({ videoPath: 'x', maxTokenz: 1 });
  const body = { video: 'x', task: 'both', max_tokenz: 1 };
  assert.deepEqual(JSON.parse(sent[0].body), body);
});

test('`question` is asked, also under the name `prompt`', async (t) => {
  const { apiUrl, sent } = await yes(t);
  const client = new EmotionLLaMA({ apiUrl });
  await client.analyze({ videoPath: 'x', question: 'why?' });
  await client.analyze({ videoPath: 'x', prompt: 'why?', question: undefined });
  await client.analyze({ videoPath: 'x', prompt: 'why?', question: 'why?' });
  await client.analyze({ videoPath: 'x', prompt: null, question: 'why?' });
  for (const request of sent) {
    assert.deepEqual(JSON.parse(request.body), { video: 'x', task: 'both', question: 'why?' });
  }
  assert.equal(sent.length, 4);
  const both = client.analyze({ videoPath: 'x', prompt: 'why?', question: 'how?' });
  await assert.rejects(both, /give one of them/);
});

const TIMELINES = [
  ['2/1', 2, 1],
  [' 2 / 0.5 ', 2, 0.5],
  ['1.5', 1.5, 1.5],
  [2, 2, 2],
  [[2, 1], 2, 1],
  [{ window: 2, step: 1 }, 2, 1],
];

for (const [timeline, window, step] of TIMELINES) {
  test(`a timeline ${JSON.stringify(timeline)}`, async (t) => {
    const { apiUrl, sent } = await yes(t);
    await new EmotionLLaMA({ apiUrl }).analyze({ videoPath: 'x', timeline });
    assert.deepEqual(JSON.parse(sent[0].body).timeline, { window, step });
  });
}

for (const timeline of ['2/1/3', 'two', '', '2/', [1, 2, 3], Number.NaN, () => 2]) {
  test(`a timeline that means nothing: ${String(timeline)}`, async () => {
    const asked = new EmotionLLaMA().analyze({ videoPath: 'x', timeline });
    await assert.rejects(asked, /`timeline` is \{ window, step \}/);
  });
}

test('options in the kinds that a program has', async (t) => {
  const { apiUrl, sent } = await yes(t);
  const client = new EmotionLLaMA({ apiUrl });
  const features = new TextEncoder().encode('abc').buffer;
  await client.analyze({ videoPath: 'x', labels: new Set(['a', 'b']), features });
  const body = { video: 'x', task: 'both', labels: ['a', 'b'], features: 'YWJj' };
  assert.deepEqual(JSON.parse(sent[0].body), body);
  const wrong = client.analyze({ videoPath: 'x', frame: Number.NaN });
  await assert.rejects(wrong, /`frame` is NaN/);
  await assert.rejects(client.analyze({ videoPath: 'x', features: [1] }), /`features` takes/);
});

test('addresses as other clients have them', async (t) => {
  const { apiUrl, sent } = await yes(t);
  const endings = [
    '',
    '/',
    '//',
    '/v1',
    '/v1/',
    '/V1',
    '/v1/emotion',
    '/v1/chat/completions',
    '/?x#y',
  ];
  const addresses = endings.map((ending) => apiUrl + ending);
  addresses.push(apiUrl.replace('http://', ''), new URL(apiUrl), ` ${apiUrl}/v1 `);
  for (const address of addresses) {
    await new EmotionLLaMA({ apiUrl: address }).analyze({ videoPath: 'x' });
  }
  await new EmotionLLaMA({ apiUrl: `${apiUrl}/behind/a/proxy/v1` }).analyze({ videoPath: 'x' });
  const paths = sent.map(({ url }) => url);
  assert.equal(paths.pop(), '/behind/a/proxy/v1/emotion');
  assert.deepEqual(paths, Array(addresses.length).fill('/v1/emotion'));
  for (const address of ['', 'ftp://x', 'http://', 'http://x:y']) {
    assert.throws(
      () => new EmotionLLaMA({ apiUrl: address }),
      /no server's address; one reads http/,
    );
  }
});

test('task `emotion` comes with an explanation only if one is wanted', async (t) => {
  const { apiUrl, sent } = await yes(t);
  const client = new EmotionLLaMA({ apiUrl });
  await client.analyze({ videoPath: 'x', task: 'emotion', explain: true });
  await client.analyze({ videoPath: 'x', task: 'emotion', transcript: undefined });
  await client.analyze({ videoPath: 'x', task: 'reason' });
  await all(client.analyzeMany(['x'], { task: 'emotion' }));
  const tasks = ['both', 'emotion', 'reason', 'emotion'].map((task) => ({ video: 'x', task }));
  assert.deepEqual(
    sent.map((request) => JSON.parse(request.body)),
    tasks,
  );
});

test('one clip is wanted', async () => {
  const client = new EmotionLLaMA();
  for (const clips of [{}, { videoPath: 'x', video: new Blob() }, { video: null }]) {
    await assert.rejects(client.analyze(clips), /Give one clip/);
  }
});

test('the key comes from the environment', async (t) => {
  const { apiUrl, sent } = await yes(t);
  process.env.EMOTION_LLAMA_API_KEY = 'from outside';
  t.after(() => delete process.env.EMOTION_LLAMA_API_KEY);
  await new EmotionLLaMA({ apiUrl }).analyze({ videoPath: 'x' });
  assert.equal(sent[0].headers.authorization, 'Bearer from outside');
});

for (const body of ['<html>', '{}', '[]', 'null']) {
  test(`an answer of something else: ${body}`, async (t) => {
    const apiUrl = await serve(t, (_, response) => void response.end(body));
    const client = new EmotionLLaMA({ apiUrl });
    await assert.rejects(client.analyze({ videoPath: 'x' }), InvalidAnswer);
  });
}

test('a timeline as text', async (t) => {
  const apiUrl = await serve(t, (request, response) => {
    assert.equal(JSON.parse(request.body).task, 'emotion');
    const form = request.headers.accept;
    response.setHeader('Content-Type', `${form}; charset=utf-8`).end(`as ${form}`);
  });
  const client = new EmotionLLaMA({ apiUrl });
  const asked = { videoPath: 'x', timeline: { window: 2, step: 1 } };
  assert.equal(await client.timelineText(asked), 'as text/csv');
  assert.equal(await client.timelineText({ ...asked, form: 'vtt' }), 'as text/vtt');
});

test('a timeline as something else', async (t) => {
  const { apiUrl } = await yes(t);
  const asked = { videoPath: 'x', timeline: { window: 2, step: 1 } };
  const came = /text\/csv was requested, but the answer is application\/json/;
  await assert.rejects(new EmotionLLaMA({ apiUrl }).timelineText(asked), came);
});

test('models', async (t) => {
  const served = { object: 'list', data: [{ id: 'demo', description: 'd' }] };
  const apiUrl = await serve(t, (request) => {
    assert.equal(`${request.method} ${request.url}`, 'GET /v1/models');
    return served;
  });
  assert.deepEqual(await new EmotionLLaMA({ apiUrl }).models(), served);
});

test('many clips come as they are done, a failure among them', async (t) => {
  let now = 0;
  let most = 0;
  const apiUrl = await serve(t, async (request, response) => {
    const { video, transcript } = JSON.parse(request.body);
    assert.equal(transcript, `said in ${video}`);
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now -= 1;
    return video === '2' ? refuse(response, 400) : ANSWER;
  });
  const paths = Array.from({ length: 20 }, (_, index) => String(index));
  const ownOptions = (path) => ({ transcript: `said in ${path}` });
  const client = new EmotionLLaMA({ apiUrl });
  const found = await all(client.analyzeMany(paths, { concurrency: 4, ownOptions }));
  assert.deepEqual(found.map((one) => one.videoPath).sort(), [...paths].sort());
  const failed = found.filter((one) => one.error);
  assert.deepEqual(
    failed.map((one) => one.videoPath),
    ['2'],
  );
  assert.equal(most, 4);
  assert.deepEqual(await all(client.analyzeMany([])), []);
});

test('many clips are not taken before they are wanted, nor answered after', async (t) => {
  const hungUp = [];
  const apiUrl = await serve(t, (request, response) => {
    if (JSON.parse(request.body).video === '0') {
      return ANSWER;
    }
    hungUp.push(once(response, 'close'));
  });
  let taken = 0;
  function* endless() {
    for (;;) {
      yield String(taken++);
    }
  }
  for await (const { videoPath } of new EmotionLLaMA({ apiUrl }).analyzeMany(endless())) {
    assert.equal(videoPath, '0');
    break;
  }
  assert.equal(taken, 8);
  await Promise.all(hungUp);
});

test('many clips are given up by a signal', async (t) => {
  const controller = new AbortController();
  const apiUrl = await serve(t, () => controller.abort());
  const found = new EmotionLLaMA({ apiUrl }).analyzeMany(['x'], { signal: controller.signal });
  await assert.rejects(all(found), { name: 'AbortError' });
});

test('it works where there is no Node', async (t) => {
  const { apiUrl, sent } = await yes(t);
  const code = `
    delete globalThis.process;
    const { EmotionLLaMA } = await import('emotion-llama-sdk');
    const client = new EmotionLLaMA({ apiUrl: '${apiUrl}' });
    console.log((await client.analyze({ videoPath: 'package.json' })).emotion);
  `;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const run = promisify(execFile)('node', ['--input-type=module', '--eval', code], { cwd });
  assert.equal((await run).stdout, 'happy\n');
  assert.equal(JSON.parse(sent[0].body).video, 'package.json');
});
