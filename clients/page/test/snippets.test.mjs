/** Tests how requests are written as programs; that these run is tested with a server. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { asCurl } from '../snippets/curl.js';
import { asJavaScript } from '../snippets/javascript.js';
import { asPython } from '../snippets/python.js';
import { requestOf } from '../snippets/request.js';

const BASE = 'http://example.org:7889/behind/';
const options = {
  task: 'both',
  question: `it's "so"; $HOME \`id\` \\n <b> 为什么\n`,
  labels: ['a', 'b'],
  timeline: { window: 1, step: 0.5 },
  maxTokens: 20,
  seed: undefined,
};
const file = { kind: 'file', name: `it's "mine", a;b.mp4`, file: null, url: 'blob:1' };

test('options go under the names of the wire, to the server that the page came from', () => {
  const request = requestOf({ clip: { kind: 'path', name: 'a.mp4' }, options }, BASE, false);
  assert.equal(request.url, 'http://example.org:7889/behind/v1/emotion');
  assert.equal(request.file, '');
  const { task, question, labels, timeline } = options;
  assert.deepEqual(request.fields, {
    video: 'a.mp4',
    task,
    question,
    labels,
    timeline,
    max_tokens: 20,
  });
});

test('a shell takes the command line of curl word by word', () => {
  const command = asCurl(requestOf({ clip: file, options }, BASE, true));
  const script = `curl() { printf '%s\\0' "$@"; }\n${command}`;
  const env = { EMOTION_LLAMA_API_KEY: 'secret', PATH: process.env.PATH };
  const words = execFileSync('sh', ['-c', script], { env, encoding: 'utf8' }).split('\0');
  assert.deepEqual(words.slice(0, 4), [
    '-sS',
    `${BASE}v1/emotion`,
    '-H',
    'Authorization: Bearer secret',
  ]);
  const { fields } = requestOf({ clip: file, options }, BASE, true);
  assert.deepEqual(JSON.parse(words[5].slice('request='.length)), fields);
  assert.equal(words[7], `video=@"it's \\"mine\\", a;b.mp4"`);
});

test('a key is taken from the environment, and only if there is one', () => {
  for (const write of [asCurl, asPython, asJavaScript]) {
    for (const clip of [file, { kind: 'url', name: 'https://example.org/a.mp4' }]) {
      assert.ok(write(requestOf({ clip, options }, BASE, true)).includes('EMOTION_LLAMA_API_KEY'));
      assert.ok(!write(requestOf({ clip, options }, BASE, false)).includes('KEY'));
    }
  }
});

test('a sample is fetched from where the page has it', () => {
  const sample = { ...file, name: 'happy_face.mp4', sample: true };
  for (const write of [asCurl, asPython, asJavaScript]) {
    const text = write(requestOf({ clip: sample, options }, BASE, false));
    assert.ok(text.includes(`${BASE}page/samples/happy_face.mp4`), text);
  }
});
