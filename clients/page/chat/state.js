/** The chat that there is before the first question. */

/** @import { ChatState } from './types.d.ts' */

/** @type {ChatState} */
export const NO_CHAT = {
  isOpen: false,
  turns: [],
  draft: '',
  transcript: '',
  retryIn: null,
  isTooLong: false,
};
