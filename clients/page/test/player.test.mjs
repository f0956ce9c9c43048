/** Tests the player: which position it wants, tells and finds. */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { player } from '../media/player.js';

globalThis.cancelAnimationFrame = () => {};

/** What the player needs of a `<video>`; `seeks` are the positions that it was sent to. */
class Video {
  seeks = [];
  seeking = false;
  paused = true;
  duration = 10;
  #time = 0;

  get currentTime() {
    return this.#time;
  }

  set currentTime(time) {
    this.seeks.push(time);
    this.#time = time;
    this.seeking = true;
  }

  pause() {
    this.paused = true;
  }

  arrive() {
    this.seeking = false;
    player.arrived();
  }
}

let video;

beforeEach(() => {
  video = new Video();
  player.attach(video);
});

test('of positions that are wanted while one is sought, only the newest is found', () => {
  for (const time of [1, 2, 3, 4]) {
    player.seek(time);
  }
  assert.equal(player.time, 4);
  video.arrive();
  video.arrive();
  assert.deepEqual(video.seeks, [1, 4]);
  assert.equal(player.time, 4);
});

test('the end is found, too, though it was wanted while another position was sought', () => {
  player.seek(1);
  player.seek(video.duration);
  video.arrive();
  assert.deepEqual(video.seeks, [1, 10]);
  video.arrive();
  assert.equal(player.time, 10);
});

test('a position is found that was wanted before, while a third was sought', () => {
  player.seek(1);
  video.arrive();
  video.currentTime = 9; // not by the player
  player.seek(1);
  video.arrive();
  assert.deepEqual(video.seeks, [1, 9, 1]);
});

test('times count from the first frame', () => {
  player.setOffset(0.5);
  player.seek(1);
  assert.deepEqual(video.seeks, [1.5]);
  video.arrive();
  assert.equal(player.time, 1);
});

test('a frame is aimed at from behind, so that not the one before is shown', () => {
  player.showFrame(0.5);
  assert.deepEqual(video.seeks, [0.502]);
});

test('a clip that is not here has a position all the same', () => {
  player.attach(null);
  let told = 0;
  const end = player.subscribe(() => {
    told += 1;
  });
  player.seek(3);
  assert.equal(player.time, 3);
  player.seek(-1);
  assert.equal(player.time, 0);
  assert.equal(told, 2);
  end();
  player.seek(1);
  assert.equal(told, 2);
});

test('a new clip begins at its start, without the loop of the last one', () => {
  player.seek(3);
  player.loop = { from: 1, to: 2 };
  player.attach(new Video());
  assert.equal(player.time, 0);
  assert.equal(player.loop, null);
});
