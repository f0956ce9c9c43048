/** The jobs before the server has told any. */

/** @import { JobsState } from './types.d.ts' */

/** @type {JobsState} */
export const NO_JOBS = { batches: null, failure: null };
