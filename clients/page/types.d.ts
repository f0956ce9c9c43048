/** The types that the page's modules share. */

import type { ChatState } from './chat/types.d.ts';
import type { JobsState } from './jobs/types.d.ts';
import type { LiveState } from './live/types.d.ts';
import type { ManyState } from './many/types.d.ts';
import type { DeviceState, RecordState } from './record/types.d.ts';
import type { en } from './strings/en.js';
import type {
  EmotionEvent,
  EmotionLLaMA,
  EmotionLLaMAError,
  EmotionResponse,
  FramePolicy,
  Model,
  Options,
  Task,
  TimelineWindow,
} from './vendor/emotion-llama-sdk/index.js';

export type {
  EmotionEvent,
  EmotionLLaMA,
  EmotionLLaMAError,
  EmotionResponse,
  FramePolicy,
  Model,
  Options,
  Task,
  TimelineWindow,
};

/** The words of one language. */
export type Strings = typeof en;

export type Language = 'en' | 'zh';
export type Theme = 'system' | 'light' | 'dark';
export type Route = 'analyse' | 'live' | 'many' | 'jobs' | 'settings' | 'help';

/** What views and actions need beside the state. */
export interface App {
  store: Store;
  /** The words of the current language. */
  t(): Strings;
  /** A client with the current key that does not retry by itself. */
  client(sending?: Sending): EmotionLLaMA;
  /** Say something in the page's one `role=status`. */
  announce(text: string): void;
  /** All requests about clips go through it. */
  slots: Slots;
}

/** Hears how far an upload is. */
export interface Sending {
  onProgress?: (sent: number, total: number) => void;
  /** The whole request has been handed to the network. */
  onSent?: () => void;
}

export interface Store {
  get(): State;
  set(patch: Partial<State>): void;
  /** Returns what ends the subscription. */
  subscribe(listener: (state: State) => void): () => void;
}

/** Lets so many requests run at once, over all views. */
export interface Slots {
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface State {
  route: Route;
  settings: Settings;
  server: ServerState;
  clip: Clip | null;
  /** Why the last thing that was to be a clip is none. */
  problem: Failure | null;
  /** Seconds of the clip that the player has measured; null until then, 0 for a picture. */
  duration: number | null;
  form: Form;
  run: Run;
  player: PlayerState;
  timeline: TimelineState;
  chat: ChatState;
  record: RecordState;
  devices: DeviceState;
  live: LiveState;
  many: ManyState;
  jobs: JobsState;
}

/** What the browser keeps, beside colours and a key that is to be kept. */
export interface Settings {
  language: Language;
  theme: Theme;
  /** In which language the model is asked. */
  answerLanguage: 'page' | Language;
  temperature: number;
  maxTokens: number;
  seed: number | null;
  /** How many clips of a batch are asked about at once, 1 to 4. */
  clipsAtOnce: number;
  /** Whether single keys (`[`, `F`, `?` …) do something. */
  singleKeys: boolean;
}

export interface ServerState {
  kind: 'unknown' | 'ready' | 'loading' | 'unreachable' | 'key_missing' | 'key_wrong';
  model: Model | null;
}

/** One clip. `seconds` is a recording's measured time, for files that do not tell it. */
export type Clip =
  | {
      kind: 'file';
      file: File;
      name: string;
      url: string;
      sample?: boolean;
      seconds?: number;
      /** A person in front of this computer's camera. */
      recorded?: boolean;
      /** A grey picture stands for the camera. */
      grey?: boolean;
    }
  | {
      kind: 'path' | 'url';
      name: string;
      /** The user's own copy, for the player alone: an object URL. */
      copy?: string;
    };

/** The form of the analyse view as it stands. */
export interface Form {
  task: Task;
  /** Null, or empty, for the checkpoint's own. */
  question: string | null;
  transcript: string;
  /** Whether the server writes the transcript, if none is given. */
  isHeard: boolean;
  /** Null for the model's own. */
  labels: string[] | null;
  frame: FramePolicy;
  hasTimeline: boolean;
  /** Seconds; null for what suits the clip's length. */
  window: number | null;
  step: number | null;
}

/** What one run was asked; `options` as the SDK takes them, without the clip. */
export interface Asked {
  clip: Clip;
  options: Options;
}

/** What has come of an answer so far. */
export interface PartialAnswer {
  emotion: EmotionEvent | null;
  explanation: string;
  /** Sorted by `start`. */
  windows: TimelineWindow[];
}

export type Run =
  | { kind: 'idle' }
  | { kind: 'sending'; asked: Asked; sent: number; total: number }
  | { kind: 'waiting'; asked: Asked }
  | { kind: 'streaming'; asked: Asked; partial: PartialAnswer }
  | { kind: 'done'; asked: Asked; answer: EmotionResponse }
  | { kind: 'cancelled'; asked: Asked; partial: PartialAnswer | null }
  | { kind: 'failed'; asked: Asked; failure: Failure; partial: PartialAnswer | null }
  | { kind: 'retrying'; asked: Asked; seconds: number; reason: 'busy' | 'rate' };

/** An error as the page tells it: `kind` picks the words. */
export interface Failure {
  kind:
    | 'offline'
    | 'lost_upload'
    | 'busy'
    | 'rate'
    | 'too_large'
    | 'key_missing'
    | 'key_wrong'
    | 'broke_off'
    | 'server'
    | 'refused'
    | 'timeout'
    | 'sample'
    | 'not_a_clip';
  /** The server's own sentence, in English. */
  message?: string;
  /** Of a clip that is too large. */
  bytes?: number;
  /** The field of the request that is to blame. */
  param?: string;
  requestId?: string;
}

/** What the views show of a run, complete or not; see `shownOf` in run.js. */
export interface Shown {
  asked: Asked;
  isComplete: boolean;
  emotion: EmotionEvent | null;
  explanation: string | null;
  windows: TimelineWindow[];
  /** The whole answer, once it is complete. */
  answer: EmotionResponse | null;
}

/** What the player does; its position is not in the state, as it changes with every frame. */
export interface PlayerState {
  isPlaying: boolean;
  /** 1 for the clip's own speed. */
  rate: number;
  isMuted: boolean;
  /** Whether this browser cannot play the clip. */
  hasFailed: boolean;
}

/** How the timeline is looked at. */
export interface TimelineState {
  isTable: boolean;
  /** Pixels of the whole chart, as measured; 0 until then. */
  width: number;
  /** Pixels of a character's height, as measured. */
  em: number;
  /** The visible part in seconds; null for the whole. */
  view: Span | null;
  /** The part that plays again and again, in seconds. */
  loop: Span | null;
}

/** A part of a clip in seconds. */
export interface Span {
  from: number;
  to: number;
}

/** What a timeline shows. */
export interface TimelineArgs {
  /** Sorted by `start`. */
  windows: TimelineWindow[];
  /** Seconds of the whole; with `isLive` up to now. */
  duration: number;
  /** In the order in which they are drawn. */
  labels: string[];
  /** Seconds from one window's start to the next one's, where it is known. */
  step?: number;
  isComplete: boolean;
  /** When the picture that stands for the whole clip is seen, in seconds. */
  frameTime?: number | null;
  /** The visible part, if it is not the reader's choice. */
  view?: Span;
  /** Parts that are known to have no window. */
  gaps?: Span[];
  /** It only runs along: nothing is played. */
  isLive?: boolean;
}

/** What has become of one of many clips: an answer, or the words of an error. */
export interface Analysed {
  name: string;
  response?: EmotionResponse;
  error?: string;
}
