/** A clip as it is uploaded, from whatever holds its bytes. */

import type { Video } from './options.js';

/** The multipart form of a request with a clip. */
export function formOf(clip: Blob, fields: Record<string, unknown>): FormData {
  const form = new FormData();
  form.append('request', JSON.stringify(fields));
  form.append('video', clip);
  return form;
}

/**
 * A clip as a `Blob`; a stream is read to its end, so that it can be sent again.
 *
 * @throws TypeError - It is nothing that holds bytes.
 */
export async function blobOf(video: Video): Promise<Blob> {
  if (video instanceof Blob) {
    return video;
  }
  if (isBytes(video)) {
    return new Blob([bytesOf(video)]);
  }
  if (video instanceof ReadableStream) {
    return new Blob(await collected(readerOf(video)));
  }
  if (typeof video === 'object' && Symbol.asyncIterator in video) {
    return new Blob(await collected(video));
  }
  const kind = typeof video === 'object' ? Object.prototype.toString.call(video).slice(8, -1) : '';
  throw new TypeError(
    `\`video\` takes a Blob, File, ArrayBuffer, Uint8Array or stream, not a ${kind || typeof video}` +
      (typeof video === 'string' ? '; give a path or URL as `videoPath`.' : '.'),
  );
}

async function collected(pieces: AsyncIterable<unknown>): Promise<Uint8Array<ArrayBuffer>[]> {
  const found: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces) {
    if (!isBytes(piece)) {
      throw new TypeError('`video` is a stream of something else than bytes: set no encoding.');
    }
    found.push(bytesOf(piece));
  }
  return found;
}

/** Not every browser's streams can be looped over. */
async function* readerOf(stream: ReadableStream<unknown>): AsyncGenerator<unknown> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    yield value;
  }
}

function isBytes(value: unknown): value is ArrayBufferLike | ArrayBufferView {
  const isShared = typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer;
  return isShared || value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/** The bytes, copied: what they lie on may be shared memory, which a `Blob` does not take. */
function bytesOf(value: ArrayBufferLike | ArrayBufferView): Uint8Array<ArrayBuffer> {
  const view = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  return new Uint8Array(view);
}
