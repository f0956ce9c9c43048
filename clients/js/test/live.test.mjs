/** Against a running server. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, test } from 'node:test';

import { BadRequestError, EmotionLLaMA } from 'emotion-llama-sdk';

const { EMOTION_LLAMA_URL: apiUrl, EMOTION_LLAMA_CLIP: clip } = process.env;
const missing = !(apiUrl && clip) && 'Set EMOTION_LLAMA_URL and EMOTION_LLAMA_CLIP.';

function checkAnswer(result) {
  const { emotion, confidence, probabilities } = result;
  assert.equal(probabilities[emotion], confidence);
  const sum = Object.values(probabilities).reduce((a, b) => a + b);
  assert.ok(Math.abs(sum - 1) < 1e-6);
  assert.ok(result.evidence.has_audio);
}

describe('a running server', { skip: missing }, () => {
  const client = new EmotionLLaMA({ apiUrl });

  test('says what it serves', async () => {
    assert.equal(typeof (await client.models()).data[0].description, 'string');
  });

  test('analyzes a clip by its path', async () => {
    const prompt = '[reason] Which emotion, and why?';
    const result = await client.analyze({ videoPath: clip, prompt, maxTokens: 8 });
    checkAnswer(result);
    assert.ok(result.answer);
    assert.ok(result.explanation);
  });

  test('analyzes an upload the same', async () => {
    const asked = { task: 'emotion', explain: false, transcript: 'well', labels: ['sad', 'happy'] };
    const bytes = await readFile(clip);
    const byPath = await client.analyze({ videoPath: clip, ...asked });
    checkAnswer(byPath);
    for (const video of [new Blob([bytes]), new File([bytes], basename(clip)), bytes]) {
      const result = await client.analyze({ video, ...asked });
      checkAnswer(result);
      assert.equal(result.explanation, null);
      for (const [label, probability] of Object.entries(byPath.probabilities)) {
        assert.ok(Math.abs(result.probabilities[label] - probability) < 1e-3);
      }
    }
  });

  test('streams', async () => {
    const timeline = { window: 1, step: 0.5 };
    const events = [];
    for await (const event of client.stream({ videoPath: clip, maxTokens: 8, timeline })) {
      events.push(event);
    }
    const of = (type) => events.filter((event) => event.type === type).map(({ data }) => data);
    const [whole] = of('done');
    assert.equal(events.at(-1).data, whole);
    checkAnswer(whole);
    assert.deepEqual(
      of('emotion').map(({ emotion }) => emotion),
      [whole.emotion],
    );
    const said = of('explanation.delta').map(({ delta }) => delta);
    assert.equal(said.join('').trim(), whole.explanation);
    const byStart = of('timeline.window').sort((a, b) => a.start - b.start);
    assert.ok(byStart.length > 1);
    assert.deepEqual(byStart, whole.timeline);
  });

  test('chats', async () => {
    const bytes = await readFile(clip);
    const answers = [];
    for (const one of [{ videoPath: clip }, { video: new Blob([bytes]) }]) {
      const messages = [{ role: 'user', content: '[reason] Which emotion, and why?' }];
      const pieces = [];
      for await (const piece of client.chat({ ...one, messages, maxTokens: 8, temperature: 0 })) {
        pieces.push(piece);
      }
      assert.ok(pieces.length > 1);
      assert.equal(pieces.at(-1).finishReason, 'length');
      answers.push(pieces.map(({ delta }) => delta).join(''));
    }
    assert.ok(answers[0]);
    assert.equal(answers[0], answers[1]);
  });

  test('is told when an answer is wanted no more', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let came = 0;
    const loop = async () => {
      for await (const _ of client.stream({ videoPath: clip, signal })) {
        came += 1;
        controller.abort();
      }
    };
    await assert.rejects(loop(), { name: 'AbortError' });
    assert.equal(came, 1);
    const asked = client.analyze({ videoPath: clip, signal: AbortSignal.timeout(5) });
    await assert.rejects(asked, { name: 'TimeoutError' });
  });

  test('gives a timeline as text', async () => {
    const asked = { videoPath: clip, timeline: { window: 1, step: 1 } };
    assert.match(await client.timelineText(asked), /^start,end,emotion,confidence,/);
    assert.match(await client.timelineText({ ...asked, form: 'vtt' }), /^WEBVTT\n/);
  });

  test('analyzes clips as a batch', async () => {
    const clips = [clip, new File([await readFile(clip)], 'upload.mp4')];
    const batch = await client.batches.submit(clips, { task: 'emotion' });
    const done = await client.batches.wait(batch, { every: 0.1 });
    assert.deepEqual(done.request_counts, { total: 2, completed: 2, failed: 0 });
    for await (const { videoPath, response } of client.batches.results(done)) {
      assert.ok([clip, 'upload.mp4'].includes(videoPath));
      checkAnswer(response);
    }
  });

  test('refuses what is wrong and names the field', async () => {
    const asked = client.analyze({ videoPath: clip, timeline: { window: 1, step: 0 } });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof BadRequestError);
      assert.equal(error.status, 400);
      assert.equal(error.param, 'timeline.step');
      assert.ok(error.requestId);
      return true;
    });
    const unknown = client.analyze({ videoPath: clip, maxTokenz: 1 });
    await assert.rejects(unknown, { status: 400, param: 'max_tokenz' });
  });
});
