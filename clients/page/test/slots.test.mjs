/** Slots: so many at once, in turn, and nobody waits whose request is given up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSlots } from '../net/slots.js';

/** Work that runs until it is told to end. */
function held() {
  let end;
  const until = new Promise((resolve) => {
    end = resolve;
  });
  const state = { isRunning: false, end };
  state.work = async () => {
    state.isRunning = true;
    await until;
    state.isRunning = false;
  };
  return state;
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

test('at most so many run, the others in turn', async () => {
  const slots = createSlots(2);
  const works = [held(), held(), held(), held()];
  const runs = works.map(({ work }) => slots.run(work));
  await soon();
  assert.deepEqual(
    works.map(({ isRunning }) => isRunning),
    [true, true, false, false],
  );
  works[1].end();
  await soon();
  assert.equal(works[2].isRunning, true);
  assert.equal(works[3].isRunning, false);
  for (const { end } of works) {
    end();
  }
  await Promise.all(runs);
});

test('work that fails makes room', async () => {
  const slots = createSlots(1);
  await assert.rejects(
    slots.run(async () => {
      throw new Error('broken');
    }),
    /broken/,
  );
  assert.equal(await slots.run(async () => 7), 7);
});

test('who gives up while waiting leaves the line', async () => {
  const slots = createSlots(1);
  const first = held();
  const run = slots.run(first.work);
  const controller = new AbortController();
  const waiting = slots.run(async () => assert.fail('it ran'), controller.signal);
  await soon();
  controller.abort(new Error('given up'));
  await assert.rejects(waiting, /given up/);
  first.end();
  await run;
  assert.equal(await slots.run(async () => 7), 7);
});
