/** Files and batches: what is sent, and what is made of results. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import {
  BadRequestError,
  ConnectionFailed,
  EmotionLLaMA,
  InvalidAnswer,
  NotFoundError,
} from 'emotion-llama-sdk';

import { ANSWER, all, formOf, refuse, serve } from './support.mjs';

const BATCH = {
  id: 'batch_1',
  endpoint: '/v1/emotion',
  status: 'in_progress',
  request_counts: { total: 1, completed: 0, failed: 0 },
  output_file_id: null,
  error_file_id: null,
};

/** A server that keeps files; `given` answers the routes of batches, and overrules the others. */
async function keeping(t, given = {}) {
  const [sent, files] = [[], []];
  const apiUrl = await serve(t, async (request, response) => {
    const route = `${request.method} ${request.url}`;
    sent.push(route);
    if (given[route]) {
      return given[route](request, response);
    }
    if (route === 'POST /v1/files') {
      const form = await formOf(request);
      const { name, size } = form.get('file');
      files.push({ form, text: await form.get('file').text() });
      return { id: `file-${files.length}`, filename: name, bytes: size };
    }
    if (route === 'POST /v1/batches') {
      return { ...BATCH, ...JSON.parse(request.body) };
    }
    refuse(response, 404, { code: 'route_not_found' });
  });
  return { client: new EmotionLLaMA({ apiUrl, maxRetries: 1 }), sent, files };
}

async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), 'clips-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test('clips become the lines of a batch, uploaded where they are local', async (t) => {
  const { client, files } = await keeping(t);
  const path = join(await folder(t), 'a.mp4');
  await writeFile(path, 'clip');
  const clips = [path, new File(['other'], 'b.mp4'), new URL('https://x/c.mp4'), 'file-9', path];
  const uploads = [];
  const batch = await client.batches.submit(clips, {
    task: 'emotion',
    explain: true,
    ownOptions: (clip) => (clip === path ? { transcript: 'well' } : {}),
    completionWindow: '2h',
    metadata: { run: '1' },
    concurrency: 1,
    onUpload: (upload) => uploads.push(upload),
  });
  assert.deepEqual(uploads, [
    { name: path, video: 'file-1' },
    { name: 'b.mp4', video: 'file-2' },
    { name: 'https://x/c.mp4', video: 'https://x/c.mp4' },
    { name: 'file-9', video: 'file-9' },
  ]);
  const [a, b, lines] = files;
  assert.deepEqual([a.text, b.text], ['clip', 'other']);
  assert.deepEqual(Object.fromEntries([...a.form].filter(([name]) => name !== 'file')), {
    purpose: 'user_data',
    'expires_after[anchor]': 'created_at',
    'expires_after[seconds]': String(26 * 3600),
  });
  assert.equal(a.form.get('file').name, 'a.mp4');
  assert.equal(lines.form.get('purpose'), 'batch');
  const sent = lines.text.trim().split('\n').map(JSON.parse);
  assert.deepEqual(sent[0], {
    custom_id: path,
    method: 'POST',
    url: '/v1/emotion',
    body: { task: 'both', transcript: 'well', video: 'file-1' },
  });
  assert.deepEqual(
    sent.map(({ custom_id, body }) => [custom_id, body.video]),
    uploads.map(({ name, video }) => [name, video]),
  );
  const { input_file_id, endpoint, completion_window, metadata } = batch;
  assert.deepEqual(
    [input_file_id, endpoint, completion_window, metadata],
    ['file-3', '/v1/emotion', '2h', { run: '1' }],
  );
});

test('a clip that is refused is thrown, or left out and told', async (t) => {
  let count = 0;
  const { client } = await keeping(t, {
    'POST /v1/files': (_, response) =>
      ++count % 3 === 1 ? refuse(response, 400) : { id: `file-${count}`, filename: 'x' },
  });
  const clips = [new File(['x'], 'a.mp4'), new File(['x'], 'b.mp4')];
  await assert.rejects(client.batches.submit(clips, { concurrency: 1 }), BadRequestError);
  count = 0;
  const uploads = [];
  const onUpload = (upload) => uploads.push(upload);
  const batch = await client.batches.submit(clips, { concurrency: 1, onUpload });
  assert.equal(batch.input_file_id, 'file-3');
  assert.ok(uploads[0].error instanceof BadRequestError);
  assert.equal(uploads[1].video, 'file-2');
  count = 0;
  const alone = client.batches.submit(clips.slice(1), { onUpload });
  await assert.rejects(alone, /No clip could be uploaded/);
});

test('a rate limit makes the upload of a clip wait', async (t) => {
  let left = 5;
  const { client } = await keeping(t, {
    'POST /v1/files': (_, response) => {
      left -= 1;
      return left > 0
        ? refuse(response, 429, {}, { 'Retry-After': '0' })
        : { id: 'file-1', filename: 'x' };
    },
  });
  const batch = await client.batches.submit([new File(['x'], 'a.mp4')]);
  assert.equal(batch.input_file_id, 'file-1');
  assert.equal(left, -1);
});

test('what cannot be a batch is refused before anything is sent', async (t) => {
  const { client, sent } = await keeping(t);
  const twins = [new File(['x'], 'a.mp4'), new File(['y'], 'a.mp4')];
  for (const [clips, options, told] of [
    [[], {}, /1 to 50000 clips, not 0/],
    [['x.mp4'], { completionWindow: '200h' }, /1h to 168h/],
    [['x.mp4'], { completionWindow: '1d' }, /1h to 168h/],
    [['x'.repeat(513)], {}, /512 characters/],
    [['x.mp4'], { timeline: 'never' }, /timeline/],
    [twins, {}, /Two files have the name a.mp4/],
  ]) {
    await assert.rejects(client.batches.submit(clips, options), told);
  }
  assert.deepEqual(sent, []);
});

test('a batch is not created twice when the connection breaks', async (t) => {
  const { client, sent } = await keeping(t, {
    'POST /v1/batches': (request) => void request.socket.destroy(),
  });
  await assert.rejects(client.batches.submit(['x.mp4']), ConnectionFailed);
  assert.deepEqual(sent, ['POST /v1/files', 'POST /v1/batches']);
});

test('waiting ends when the batch is over, or with the signal', async (t) => {
  const states = ['validating', 'in_progress', 'finalizing', 'completed'];
  const { client } = await keeping(t, {
    'GET /v1/batches/batch_1': () => ({ ...BATCH, status: states.shift() ?? 'in_progress' }),
  });
  const seen = [];
  const onUpdate = ({ status }) => seen.push(status);
  const done = await client.batches.wait('batch_1', { every: 0.001, onUpdate });
  assert.equal(done.status, 'completed');
  assert.deepEqual(seen, ['validating', 'in_progress', 'finalizing', 'completed']);
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = client.batches.wait(BATCH, { onUpdate: () => controller.abort(), signal });
  await assert.rejects(waiting, { name: 'AbortError' });
});

test('each clip has a result, or an error of its kind', async (t) => {
  const line = (custom_id, status_code, body) => ({
    ...{ id: 'batch_req_1', custom_id, error: null },
    response: { status_code, request_id: 'r1', body },
  });
  const late = { code: 'batch_expired', message: 'late' };
  const error = { message: 'damaged', type: 'x', param: 'video', code: 'invalid_request' };
  const explanation = 'Two\u2028lines.';
  const output = [line('a', 200, { ...ANSWER, explanation }), line('b', 200, {})];
  const errors = [
    line('c', 400, { error }),
    { ...line('d'), response: null, error: late },
    { ...line('e'), response: null },
  ];
  const content = (lines) => (_, response) =>
    void response.end(lines.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const over = { ...BATCH, status: 'expired', output_file_id: 'file-1', error_file_id: 'file-2' };
  const { client } = await keeping(t, {
    'GET /v1/batches/batch_1': () => over,
    'GET /v1/files/file-1/content': content(output),
    'GET /v1/files/file-2/content': content(errors),
  });
  const [a, b, c, d, e] = await all(client.batches.results('batch_1'));
  assert.deepEqual(a, { videoPath: 'a', response: { ...ANSWER, explanation } });
  assert.ok(b.error instanceof InvalidAnswer);
  assert.ok(c.error instanceof BadRequestError);
  assert.deepEqual([c.error.message, c.error.param, c.error.requestId], ['damaged', 'video', 'r1']);
  assert.deepEqual([d.error.message, d.error.code], ['late', 'batch_expired']);
  assert.ok(e.error instanceof InvalidAnswer);
});

test('there are no results before the end, nor of chats', async (t) => {
  const { client } = await keeping(t, {
    'GET /v1/batches/batch_1': () => BATCH,
    'GET /v1/batches/batch_2': () => ({
      ...BATCH,
      status: 'completed',
      endpoint: '/v1/chat/completions',
    }),
    'GET /v1/batches/batch_3': () => ({ ...BATCH, status: 'failed' }),
    'POST /v1/batches/batch_1/cancel': () => ({ ...BATCH, status: 'cancelling' }),
  });
  await assert.rejects(all(client.batches.results('batch_1')), /is in_progress/);
  await assert.rejects(all(client.batches.results('batch_2')), /answers of \/v1\/chat/);
  assert.deepEqual(await all(client.batches.results('batch_3')), []);
  assert.equal((await client.batches.cancel(BATCH)).status, 'cancelling');
});

test('files are uploaded, read and deleted, and lists come page by page', async (t) => {
  const page = (items, has_more) => () => ({
    ...{ object: 'list', data: items, first_id: items[0]?.id, last_id: items.at(-1)?.id },
    has_more,
  });
  const { client, files } = await keeping(t, {
    'GET /v1/files?limit=1000&purpose=vision': page([{ id: 'f1' }, { id: 'f2' }], true),
    'GET /v1/files?limit=1000&purpose=vision&after=f2': page([{ id: 'f3' }], false),
    'GET /v1/batches?limit=100': page([], false),
    'GET /v1/files/f1/content': (_, response) => void response.end(Buffer.from([0, 255])),
    'DELETE /v1/files/f1': () => ({ id: 'f1', object: 'file', deleted: true }),
  });
  const path = join(await folder(t), 'a.mp4');
  await writeFile(path, 'clip');
  for (const file of [path, new Uint8Array([1]), new File(['x'], 'b.mp4')]) {
    await client.files.upload(file, { purpose: 'vision' });
  }
  await client.files.upload(new Blob(['x']), { filename: 'c.mp4', keepSeconds: 3600 });
  assert.deepEqual(
    files.map(({ form }) => form.get('file').name),
    ['a.mp4', 'file', 'b.mp4', 'c.mp4'],
  );
  assert.equal(files[3].form.get('expires_after[seconds]'), '3600');
  await assert.rejects(client.files.upload('no/such.mp4'), /no\/such.mp4: There is no such file/);
  const listed = await all(client.files.list({ purpose: 'vision' }));
  assert.deepEqual(
    listed.map(({ id }) => id),
    ['f1', 'f2', 'f3'],
  );
  assert.deepEqual(await all(client.batches.list()), []);
  const content = await client.files.content('f1');
  assert.deepEqual(new Uint8Array(await content.arrayBuffer()), new Uint8Array([0, 255]));
  assert.equal((await client.files.delete('f1')).deleted, true);
  await assert.rejects(client.files.delete('f2'), NotFoundError);
});
