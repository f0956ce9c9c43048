/** Recordings: their type, their name and their duration. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationOf } from '../media/duration.js';
import { containerOf, nameOf } from '../media/recorder.js';

test('a container is asked for without codecs, WebM first', () => {
  assert.equal(
    containerOf(() => true),
    'video/webm',
  );
  assert.equal(
    containerOf((type) => type === 'video/mp4'),
    'video/mp4',
  );
  assert.equal(
    containerOf(() => false),
    undefined,
  );
});

test('a recording is named by its time and its container', () => {
  const date = new Date(2026, 10, 3, 9, 5, 7);
  assert.equal(nameOf('video/webm;codecs=vp8,opus', date), 'recording 2026-11-03 09.05.07.webm');
  assert.equal(nameOf('video/mp4;codecs=avc1', date), 'recording 2026-11-03 09.05.07.mp4');
});

/** A media element that knows its end only after a seek behind it. */
class Endless extends EventTarget {
  duration = Number.POSITIVE_INFINITY;
  #position = 1.5;
  #end;

  constructor(end) {
    super();
    this.#end = end;
  }

  get currentTime() {
    return this.#position;
  }

  set currentTime(seconds) {
    this.#position = seconds;
    if (seconds > 1e100 && this.#end) {
      setImmediate(() => {
        this.duration = this.#end;
        this.dispatchEvent(new Event('durationchange'));
      });
    }
  }
}

test('a clip that does not tell its duration is asked by a seek, and its position stays', async () => {
  const media = /** @type {any} */ (new Endless(3.2));
  assert.equal(await durationOf(media, 3), 3.2);
  assert.equal(media.currentTime, 1.5);
});

test('the measured time stands where a browser finds no end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const found = durationOf(/** @type {any} */ (new Endless(undefined)), 3);
  t.mock.timers.tick(3000);
  assert.equal(await found, 3);
});
