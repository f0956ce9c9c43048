/** Which clips are uploaded, and how. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { BadRequestError, EmotionLLaMA, NotFoundError } from 'emotion-llama-sdk';

import { ANSWER, all, formOf, refuse, serve } from './support.mjs';

const AT_ONCE = { 'Retry-After': '0' };

/** A folder with these files, until the test is over. */
async function folderOf(t, files) {
  const folder = await mkdtemp(join(tmpdir(), 'clips-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** A server that may read the files of one folder, and what came. */
async function reading(t, readable) {
  const came = { named: [], uploaded: [] };
  came.apiUrl = await serve(t, async (request, response) => {
    if (request.headers['content-type'].startsWith('multipart/form-data')) {
      const form = await formOf(request);
      assert.deepEqual([...form.keys()].sort(), ['request', 'video']);
      const video = form.get('video');
      const content = Buffer.from(await video.arrayBuffer());
      came.uploaded.push({ name: video.name, content, request: JSON.parse(form.get('request')) });
      return ANSWER;
    }
    const { video } = JSON.parse(request.body);
    came.named.push(video);
    const told = { code: 'video_not_found', param: 'video' };
    return dirname(video) === readable ? ANSWER : refuse(response, 404, told);
  });
  return came;
}

const CLIP = new TextEncoder().encode('the clip');
async function* pieces() {
  yield CLIP.subarray(0, 3);
  yield CLIP.buffer.slice(3);
}

const KINDS = {
  'a Uint8Array': () => CLIP,
  'an ArrayBuffer': () => CLIP.buffer,
  'a DataView': () => new DataView(CLIP.buffer),
  'a web stream': () => new Blob([CLIP]).stream(),
  'a stream of Node': () => Readable.from([Buffer.from('the '), Buffer.from('clip')]),
  'an async generator': pieces,
  'part of a buffer': () => Buffer.from('not the clip').subarray(4),
  'a Blob': () => new Blob([CLIP]),
  'a File': () => new File([CLIP], 'talk.mp4'),
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind} is uploaded`, async (t) => {
    const video = make();
    const { apiUrl, uploaded } = await reading(t);
    const client = new EmotionLLaMA({ apiUrl });
    const result = await client.analyze({ video, prompt: 'why?', maxTokens: 9 });
    assert.deepEqual(result, ANSWER);
    assert.equal(uploaded[0].content.toString(), 'the clip');
    assert.deepEqual(uploaded[0].request, { task: 'both', question: 'why?', max_tokens: 9 });
    assert.equal(uploaded[0].name, video instanceof File ? 'talk.mp4' : 'blob');
  });
}

const NO_CLIPS = {
  'a path': ['talk.mp4', /give a path or URL as `videoPath`/],
  'an object': [{}, /not a Object/],
  'a number': [3, /not a number/],
  'a stream of text': [Readable.from(['the clip']), /set no encoding/],
};

for (const [kind, [video, message]] of Object.entries(NO_CLIPS)) {
  test(`${kind} is no clip's bytes`, async () => {
    await assert.rejects(new EmotionLLaMA().analyze({ video }), message);
  });
}

test('a stream is sent again after a refusal', async (t) => {
  const sent = [];
  const apiUrl = await serve(t, (request, response) => {
    sent.push(request.body.includes('the clip'));
    return sent.length === 1 ? refuse(response, 503, {}, AT_ONCE) : ANSWER;
  });
  await new EmotionLLaMA({ apiUrl }).analyze({ video: new Blob([CLIP]).stream() });
  assert.deepEqual(sent, [true, true]);
});

test('URL objects', async (t) => {
  const folder = await folderOf(t, { 'a b#1.mp4': 'the clip' });
  const { apiUrl, named, uploaded } = await reading(t);
  const client = new EmotionLLaMA({ apiUrl });
  const file = pathToFileURL(join(folder, 'a b#1.mp4'));
  await client.analyze({ videoPath: file });
  await client.analyze({ videoPath: file.href });
  await assert.rejects(client.analyze({ videoPath: new URL('https://x/y.mp4') }), NotFoundError);
  assert.deepEqual(named, [join(folder, 'a b#1.mp4'), 'https://x/y.mp4']);
  assert.deepEqual(
    uploaded.map(({ name }) => name),
    ['a b#1.mp4', 'a b#1.mp4'],
  );
  await assert.rejects(client.analyze({ videoPath: CLIP }), /give a clip itself as `video`/);
});

test('a file that is missing is said to be missing', async (t) => {
  const { apiUrl } = await reading(t);
  const client = new EmotionLLaMA({ apiUrl });
  const missing = client.analyze({ videoPath: '/home/me/typo.mp4' });
  await assert.rejects(missing, (error) => {
    assert.ok(error instanceof NotFoundError);
    assert.equal(error.code, 'video_not_found');
    assert.equal(error.requestId, 'r1');
    return /^There is no such file/.test(error.message);
  });
  await assert.rejects(client.analyze({ videoPath: tmpdir() }), /This is a folder/);
  await assert.rejects(client.analyze({ videoPath: 'https://x/y.mp4' }), { message: 'no' });
});

test('a file that the server reads is never uploaded', async (t) => {
  const folder = await folderOf(t, { 'clip.mp4': 'x' });
  const { apiUrl, named, uploaded } = await reading(t, folder);
  const clip = join(folder, 'clip.mp4');
  await new EmotionLLaMA({ apiUrl }).analyze({ videoPath: clip });
  assert.deepEqual([named, uploaded], [[clip], []]);
});

test('a file that it cannot read is uploaded, and the next of that folder at once', async (t) => {
  const large = randomBytes(3_000_000);
  const folder = await folderOf(t, { 'one.mp4': 'one', 'zwei 二.mp4': large });
  const { apiUrl, named, uploaded } = await reading(t);
  const client = new EmotionLLaMA({ apiUrl });
  const one = join(folder, 'one.mp4');
  await client.analyze({ videoPath: relative('.', one), transcript: 'well' });
  await client.analyze({ videoPath: join(folder, 'zwei 二.mp4') });
  assert.deepEqual(named, [one]);
  assert.equal(uploaded[0].content.toString(), 'one');
  assert.deepEqual(uploaded[0].request, { task: 'both', transcript: 'well' });
  assert.ok(uploaded[1].content.equals(large));
  assert.deepEqual(
    uploaded.map(({ name }) => name),
    ['one.mp4', 'zwei 二.mp4'],
  );
});

test('a path that is no file here is not uploaded', async (t) => {
  const { apiUrl, uploaded } = await reading(t);
  const client = new EmotionLLaMA({ apiUrl });
  for (const videoPath of ['there/only.mp4', tmpdir(), 'https://x/y.mp4', 'data:video/mp4,x']) {
    await assert.rejects(client.analyze({ videoPath }), NotFoundError);
  }
  assert.deepEqual(uploaded, []);
});

test('a damaged file is not sent twice', async (t) => {
  const folder = await folderOf(t, { 'clip.mp4': 'x' });
  let sent = 0;
  const apiUrl = await serve(t, (_, response) => {
    sent += 1;
    refuse(response, 400, { param: 'video' });
  });
  const client = new EmotionLLaMA({ apiUrl });
  await assert.rejects(client.analyze({ videoPath: join(folder, 'clip.mp4') }), BadRequestError);
  assert.equal(sent, 1);
});

test('what is uploaded is sent again after a refusal', async (t) => {
  const folder = await folderOf(t, { 'clip.mp4': 'the clip' });
  const sent = [];
  const apiUrl = await serve(t, (request, response) => {
    if (request.headers['content-type'] === 'application/json') {
      return refuse(response, 400, { code: 'video_not_readable' });
    }
    sent.push(request.body.includes('the clip'));
    return sent.length % 2 ? refuse(response, 503, {}, AT_ONCE) : ANSWER;
  });
  const client = new EmotionLLaMA({ apiUrl });
  await client.analyze({ video: CLIP });
  await client.analyze({ videoPath: join(folder, 'clip.mp4') });
  assert.deepEqual(sent, [true, true, true, true]);
});

test('a stream of an upload', async (t) => {
  const apiUrl = await serve(t, async (request, response) => {
    const form = await formOf(request);
    assert.deepEqual(JSON.parse(form.get('request')), { task: 'both', stream: true });
    response.setHeader('Content-Type', 'text/event-stream');
    response.end(`event: done\ndata: ${JSON.stringify(ANSWER)}\n\n`);
  });
  const events = await all(new EmotionLLaMA({ apiUrl }).stream({ video: CLIP }));
  assert.deepEqual(events, [{ type: 'done', data: ANSWER }]);
});

test('a file that vanishes does not stop the others', async (t) => {
  const folder = await folderOf(t, { 'one.mp4': 'one', 'two.mp4': 'two' });
  const apiUrl = await serve(t, async (request, response) => {
    if (request.headers['content-type'] !== 'application/json') {
      return ANSWER;
    }
    await rm(join(folder, 'one.mp4'), { force: true });
    refuse(response, 404, { code: 'video_not_readable' });
  });
  const paths = [join(folder, 'one.mp4'), join(folder, 'two.mp4')];
  const client = new EmotionLLaMA({ apiUrl });
  const [one, two] = await all(client.analyzeMany(paths, { concurrency: 1 }));
  assert.ok(one.error instanceof Error);
  assert.equal(two.response.emotion, 'happy');
});

test('crops of the face go with their clip in a container', async (t) => {
  const folder = await folderOf(t, { 'clip.mp4': 'a clip' });
  const { apiUrl, uploaded, named } = await reading(t, folder);
  const client = new EmotionLLaMA({ apiUrl });
  const faceCrops = new Uint8Array(randomBytes(3 * 112 * 112 * 3));
  await client.analyze({ videoPath: join(folder, 'clip.mp4'), faceCrops });
  await client.analyze({ video: Buffer.from('a clip'), faceCrops, frame: 'peak' });
  assert.equal(named.length, 0);
  assert.equal(uploaded.length, 2);
  for (const { content, request } of uploaded) {
    assert.equal(request.face_crops, undefined);
    assert.equal(content.readUInt32LE(0), 0x04034b50);
    const start = content.indexOf("'shape': (3, 112, 112, 3,)}");
    const pixels = content.indexOf('\n', start) + 1;
    assert.equal((pixels - content.lastIndexOf('\x93NUMPY', start, 'latin1')) % 64, 0);
    assert.deepEqual(content.subarray(pixels, pixels + faceCrops.length), Buffer.from(faceCrops));
  }
});

test('crops without a clip here, or of another size, are refused', async (t) => {
  const { apiUrl } = await reading(t, '/nowhere');
  const client = new EmotionLLaMA({ apiUrl });
  const faceCrops = new Uint8Array(112 * 112 * 3);
  const far = client.analyze({ videoPath: 'http://host/clip.mp4', faceCrops });
  await assert.rejects(far, /local file or its bytes/);
  const short = client.analyze({ video: Buffer.from('x'), faceCrops: faceCrops.subarray(1) });
  await assert.rejects(short, /37631 bytes/);
});
