/** Which X-Session-ID a request about a clip has. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { EmotionLLaMA } from 'emotion-llama-sdk';

import { ANSWER, refuse, serve } from './support.mjs';

const CLIP = Buffer.from('the clip'.repeat(50_000));

function hash(content) {
  return createHash('sha256').update(content).digest('hex');
}

/** A server that reads no file, and the sessions of what came. */
async function asked(t) {
  const came = { named: [], uploaded: [] };
  const apiUrl = await serve(t, async ({ headers, body }, response) => {
    const isUpload = headers['content-type'].startsWith('multipart/form-data');
    came[isUpload ? 'uploaded' : 'named'].push(headers['x-session-id']);
    const isPath = !isUpload && JSON.parse(body).video.startsWith('/');
    return isPath ? refuse(response, 404, { code: 'video_not_found' }) : ANSWER;
  });
  return { came, client: new EmotionLLaMA({ apiUrl, maxRetries: 0 }) };
}

test('an upload has the hash of its bytes', async (t) => {
  const { came, client } = await asked(t);
  await client.analyze({ video: new Blob([CLIP]) });
  await client.analyze({ video: new Blob([CLIP]).stream() });
  assert.deepEqual(came.uploaded, [hash(CLIP), hash(CLIP)]);
});

for (const name of ['https://host/é.mp4', 'clips/a.mp4', 'data:video/mp4;base64,AAAAA']) {
  test(`a clip of the server's own has the hash of its name: ${name}`, async (t) => {
    const { came, client } = await asked(t);
    await client.analyze({ videoPath: name });
    assert.deepEqual(came.named, [hash(name)]);
  });
}

test('a data URL has the hash of the bytes in it', async (t) => {
  const { came, client } = await asked(t);
  await client.analyze({ videoPath: `data:video/mp4;base64,${CLIP.toString('base64')}` });
  assert.deepEqual(came.named, [hash(CLIP)]);
});

test('a local file has that of its path until it is uploaded', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'clips-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'clip.mp4');
  await writeFile(file, CLIP);
  const { came, client } = await asked(t);
  await client.analyze({ videoPath: file });
  await client.analyze({ videoPath: file });
  assert.deepEqual(came, { named: [hash(file)], uploaded: [hash(CLIP), hash(CLIP)] });
});
