/** The types of the server's jobs. */

import type { Failure } from '../types.d.ts';
import type { Batch } from '../vendor/emotion-llama-sdk/index.js';

export type { Batch };

export interface JobsState {
  /** The newest first; null until the server has told them. */
  batches: Batch[] | null;
  /** Why the last thing that was asked about them failed. */
  failure: Failure | null;
}
