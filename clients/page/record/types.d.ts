/** The types of recording. */

import type { CameraProblem, Devices } from '../media/camera.js';

export interface RecordState {
  kind: 'closed' | 'asking' | 'opening' | 'ready' | 'recording' | 'finishing';
  problem: CameraProblem | null;
  /** What the camera sees, for the preview. */
  stream: MediaStream | null;
  camera: boolean;
  microphone: boolean;
  seconds: number;
}

/** What there is to choose from, known once a camera has been allowed, and what is chosen. */
export interface DeviceState {
  cameras: MediaDeviceInfo[];
  microphones: MediaDeviceInfo[];
  wanted: Devices;
}
