/** A clip as it is uploaded, from whatever holds its bytes. */
import type { Video } from './options.js';
/** The multipart form of a request with a clip. */
export declare function formOf(clip: Blob, fields: Record<string, unknown>): FormData;
/**
 * A clip as a `Blob`; a stream is read to its end, so that it can be sent again.
 *
 * @throws TypeError - It is nothing that holds bytes.
 */
export declare function blobOf(video: Video): Promise<Blob>;
