/** The types of the chat about a clip. */

import type { Failure } from '../types.d.ts';

/** A question and what the model answered. */
export interface Turn {
  /** As the model got it, tag included, without the transcript. */
  question: string;
  answer: string;
  /** `cut` at the limit of tokens; `stopped` by the user. */
  state: 'waiting' | 'streaming' | 'done' | 'cut' | 'stopped' | 'failed';
  failure: Failure | null;
}

export interface ChatState {
  isOpen: boolean;
  turns: Turn[];
  /** What stands in the field. */
  draft: string;
  /** Before the first question, as it was when that was sent. */
  transcript: string;
  /** Seconds until a busy server is asked again; null if it is not. */
  retryIn: number | null;
  /** The conversation is longer than the model reads. */
  isTooLong: boolean;
}
