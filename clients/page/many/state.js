/** A batch without clips. */

/** @import { ManyState } from './types.d.ts' */

/** @type {ManyState} */
export const NO_CLIPS = {
  rows: [],
  hold: null,
  sort: null,
  page: 0,
  leftOut: 0,
  isExplained: false,
  isSaved: true,
};
