/** Recording before it begins. */

/** @import { DeviceState, RecordState } from './types.d.ts' */

/** @type {RecordState} */
export const RECORD_CLOSED = {
  kind: 'closed',
  problem: null,
  stream: null,
  camera: false,
  microphone: false,
  seconds: 0,
};

/** @type {DeviceState} */
export const NO_DEVICES = { cameras: [], microphones: [], wanted: {} };
