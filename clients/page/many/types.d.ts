/** The types of many clips. */

import type { EmotionResponse, Failure } from '../types.d.ts';

/** One clip of a batch. */
export interface Row {
  id: number;
  file: File;
  /** With the folder that was added. */
  name: string;
  state: 'waiting' | 'sending' | 'reading' | 'done' | 'failed';
  /** Bytes that have been sent, and those that are to be sent. */
  sent: number;
  total: number;
  /** That its answer took; 0 until then. */
  seconds: number;
  answer: EmotionResponse | null;
  failure: Failure | null;
}

export type Column = 'name' | 'state' | 'label' | 'share' | 'second' | 'frame' | 'sound' | 'note';

/** Why a batch waits: as its user wishes, or because of the server. */
export interface Hold {
  reason: 'paused' | 'busy' | 'rate' | 'offline' | 'key';
  /** Seconds until it goes on by itself; null if it is told to. */
  seconds: number | null;
}

export interface ManyState {
  rows: Row[];
  hold: Hold | null;
  /** Null is the order in which clips were added. */
  sort: { by: Column; isDescending: boolean } | null;
  /** Which hundred rows are shown, from 0. */
  page: number;
  /** How many files were left out at the last adding, as they are no clips. */
  leftOut: number;
  isExplained: boolean;
  isSaved: boolean;
}
