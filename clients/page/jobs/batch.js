/** What a batch of the server says of itself. */

/** @import { Batch } from './types.d.ts' */

/** After which nothing more happens. */
const OVER = ['completed', 'failed', 'expired', 'cancelled'];

/** @param {Batch} batch */
export function isOver({ status }) {
  return OVER.includes(status);
}

/** @param {Batch} batch */
export function mayBeCancelled({ status }) {
  return status === 'validating' || status === 'in_progress';
}

/**
 * Whether it has answers about emotions, or else those of chats.
 *
 * @param {Batch} batch
 */
export function isAboutEmotions({ endpoint }) {
  return endpoint === '/v1/emotion';
}

/**
 * Which forms the results of a job can be saved in.
 *
 * @param {Batch} batch
 * @returns {('csv' | 'jsonl')[]}
 */
export function endingsOf(batch) {
  if (!isOver(batch) || (batch.output_file_id ?? batch.error_file_id) === null) {
    return [];
  }
  return isAboutEmotions(batch) ? ['csv', 'jsonl'] : ['jsonl'];
}
