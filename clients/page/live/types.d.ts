/** The types of live mode; times are seconds from its start. */

import type { CameraProblem } from '../media/camera.js';
import type { EmotionResponse, Failure, TimelineWindow } from '../types.d.ts';

/** A stretch of what the camera saw, as a clip of its own. */
export interface Piece {
  file: File;
  start: number;
  end: number;
}

/** What is known about one piece; `lag` is what passed between its end and its answer. */
export interface LiveWindow extends TimelineWindow {
  lag: number;
}

/** Why there is no window for a stretch. */
export type GapReason = 'paused' | 'hidden' | 'busy' | 'dropped' | 'failed' | 'no-picture';

export interface Gap {
  start: number;
  end: number;
  reason: GapReason;
}

export type PauseReason = Exclude<GapReason, 'dropped' | 'failed'>;

/** Why live mode cannot start, or ended by itself. */
export type LiveProblem = CameraProblem | 'other-tab' | 'unplugged' | 'hidden-long';

export interface LiveState {
  kind: 'off' | 'opening' | 'running' | 'paused' | 'ended';
  pausedBy: PauseReason | null;
  /** Milliseconds since 1970 at which a pause ends by itself. */
  goesOnAt: number | null;
  problem: LiveProblem | null;
  failure: Failure | null;
  /** What the camera sees, for the preview. */
  stream: MediaStream | null;
  camera: boolean;
  microphone: boolean;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** How long it has lasted. */
  seconds: number;
  /** Sorted by `start`. */
  windows: LiveWindow[];
  /** Sorted by `start`, merged. */
  gaps: Gap[];
  dropped: number;
  /** Seconds that this tab was hidden the last time; null if it was not. */
  hiddenFor: number | null;
  /** The latest answer, which has the model's name and notice. */
  latest: EmotionResponse | null;
  /** Seconds that the chart shows; 0 for all. */
  span: 60 | 300 | 0;
  isSaved: boolean;
}
