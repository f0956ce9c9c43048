/** Live mode before it begins. */

/** @import { LiveState } from './types.d.ts' */

/** @type {LiveState} */
export const LIVE_OFF = {
  kind: 'off',
  pausedBy: null,
  goesOnAt: null,
  problem: null,
  failure: null,
  stream: null,
  camera: false,
  microphone: false,
  startedAt: 0,
  seconds: 0,
  windows: [],
  gaps: [],
  dropped: 0,
  hiddenFor: null,
  latest: null,
  span: 60,
  isSaved: true,
};
