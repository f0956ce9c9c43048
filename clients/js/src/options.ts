/** What can be asked about a clip, as options of the client's methods. */

import type { FramePolicy, Language, Task, TimelineRequest } from './schema.js';

/** A clip itself, which is uploaded; a `File` is a `Blob`. */
export type Video = Blob | Uint8Array;

/** One clip, by name or itself. */
export type Clip =
  | {
      /**
       * A path on the server, a URL or a data URL; in Node also a local file, which is uploaded if
       * the server cannot read it.
       */
      videoPath: string;
      video?: undefined;
    }
  | { videoPath?: undefined; video: Video };

/** What is left out is the server's default. */
export interface Options {
  /**
   * `emotion`: probabilities; `reason`: these and an explanation; `both`, the default: the same as
   * `reason` and the model's own answer in words.
   */
  task?: Task;
  /** Instead of the checkpoint's own question for an explanation; the API's field `question`. */
  prompt?: string;
  /** What the person says. */
  transcript?: string;
  /** 2 to 64 to choose from. */
  labels?: readonly string[];
  frame?: FramePolicy;
  /** A `.npy` file of float32 [3, feature size], or its base64. */
  features?: Uint8Array | string;
  /** Seconds of each window, and from one's start to the next one's. */
  timeline?: TimelineRequest;
  /** Which of the checkpoint's questions is asked. */
  language?: Language;
  temperature?: number;
  /** Of the explanation; an answer to the question for a label is never longer than 64 either. */
  maxTokens?: number;
  /** An integer. */
  seed?: number;
  /** Gives the request up; its reason is thrown. */
  signal?: AbortSignal;
}

/** One request for an analysis. */
export interface Call {
  videoPath?: string;
  video?: Video;
  /** Of the request, without `video`, under the names of the wire. */
  fields: Record<string, unknown>;
  /** The wanted Content-Type. */
  accept: string;
  signal?: AbortSignal;
}

/** Put a request together. */
export function makeCall(
  options: Clip & Options & { stream?: boolean },
  accept = 'application/json',
): Call {
  const { videoPath, video, signal, prompt, features, ...others } = options;
  if ((videoPath == null) === (video == null)) {
    throw new TypeError('Give one clip: `videoPath`, or `video` with its bytes.');
  }
  // What is no field of ours goes along: the server says so and names it.
  const named = Object.entries(others).map(([name, value]) => [onTheWire(name), value]);
  const fields = {
    question: prompt,
    features: features instanceof Uint8Array ? asBase64(features) : features,
    ...Object.fromEntries(named),
  };
  return { videoPath, video, fields, accept, signal };
}

/** `maxTokens` is `max_tokens` there. */
function onTheWire(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function asBase64(bytes: Uint8Array): string {
  let characters = '';
  for (const byte of bytes) {
    characters += String.fromCharCode(byte);
  }
  return btoa(characters);
}
