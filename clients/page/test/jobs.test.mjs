/** The server's jobs: what can be done with each. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { endingsOf, isOver, mayBeCancelled } from '../jobs/batch.js';

const BATCH = { endpoint: '/v1/emotion', output_file_id: 'file-1', error_file_id: null };

test('a job can be cancelled until its results are being made', () => {
  const may = (status) => mayBeCancelled({ ...BATCH, status });
  assert.deepEqual(['validating', 'in_progress', 'finalizing', 'completed'].map(may), [
    ...[true, true, false, false],
  ]);
  assert.ok(!isOver({ ...BATCH, status: 'cancelling' }));
});

test('a job that is over has the forms in which it has results', () => {
  const completed = { ...BATCH, status: 'completed' };
  assert.deepEqual(endingsOf(completed), ['csv', 'jsonl']);
  assert.deepEqual(endingsOf({ ...completed, endpoint: '/v1/chat/completions' }), ['jsonl']);
  const none = { ...completed, status: 'failed', output_file_id: null };
  assert.deepEqual(endingsOf(none), []);
  assert.deepEqual(endingsOf({ ...none, error_file_id: 'file-2' }), ['csv', 'jsonl']);
  assert.deepEqual(endingsOf({ ...BATCH, status: 'in_progress' }), []);
});
