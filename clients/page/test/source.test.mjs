/** Where the clip comes from, and for how long its URL is alive. */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

globalThis.requestAnimationFrame = () => 0;
const { createStore } = await import('../core/store.js');
const { attachCopy, setClip, takeFile, takeName, takeSample, urlOf } = await import(
  '../media/source.js'
);

const file = (name, bytes = 3) => new File([new Uint8Array(bytes)], name);

/** Those that were made and not revoked. */
const alive = new Set();
const { createObjectURL, revokeObjectURL } = URL;
URL.createObjectURL = (blob) => {
  const url = createObjectURL(blob);
  alive.add(url);
  return url;
};
URL.revokeObjectURL = (url) => {
  revokeObjectURL(url);
  alive.delete(url);
};

/** @type {import('../types.d.ts').App} */
let app;

beforeEach(() => {
  const server = { kind: 'ready', model: { limits: { clip_bytes: 10 } } };
  const rest = { problem: null, duration: 4, run: { kind: 'idle' }, form: { transcript: 'old' } };
  app = { store: createStore({ clip: null, server, ...rest }) };
});

test('a file is the clip until another one comes, and its URL lives as long', () => {
  takeFile(app, file('a.mp4'));
  const { clip, duration } = app.store.get();
  assert.equal(clip.name, 'a.mp4');
  assert.equal(duration, null);
  assert.match(urlOf(clip), /^blob:/);
  takeFile(app, file('b.mp4'));
  assert.equal(alive.size, 1);
  setClip(app, null);
  assert.equal(alive.size, 0);
});

test('features, and more bytes than the server takes, are refused', () => {
  takeFile(app, file('a.NPZ'));
  assert.deepEqual(app.store.get().problem, { kind: 'not_a_clip' });
  takeFile(app, file('a.mp4', 11));
  assert.deepEqual(app.store.get().problem, { kind: 'too_large', bytes: 11 });
  assert.equal(app.store.get().clip, null);
  takeFile(app, file('a.mp4', 10));
  assert.equal(app.store.get().problem, null);
  setClip(app, null);
});

test('a clip on the server has nothing to play but a copy', () => {
  takeName(app, 'path', ' a/b.mp4 ');
  assert.deepEqual(app.store.get().clip, { kind: 'path', name: 'a/b.mp4' });
  assert.equal(urlOf(app.store.get().clip), undefined);
  attachCopy(app, file('mine.mp4'));
  attachCopy(app, file('better.mp4'));
  assert.match(urlOf(app.store.get().clip), /^blob:/);
  assert.equal(alive.size, 1);
  setClip(app, null);
  assert.equal(alive.size, 0);
});

test('a sample comes with its words', async (context) => {
  context.mock.method(globalThis, 'fetch', async () => new Response('bytes'));
  await takeSample(app, { name: 'sad_words', transcript: 'We said goodbye' });
  assert.equal(app.store.get().form.transcript, 'We said goodbye');
  assert.equal(app.store.get().clip.sample, true);
  setClip(app, null);
});

test('a sample that is not there is told', async (context) => {
  context.mock.method(globalThis, 'fetch', async () => new Response('', { status: 404 }));
  await takeSample(app, { name: 'gone', transcript: '' });
  assert.deepEqual(app.store.get().problem, { kind: 'sample' });
});
