/** `client.files`: files that are uploaded ahead to a server that keeps them. */

import { parse } from '../answer.js';
import type { Http } from '../http.js';
import { localFile } from '../node.js';
import type { Video } from '../options.js';
import { blobOf } from '../upload.js';
import type { FileDeleted, FileObject, Page, Purpose } from './schema.js';

const ROUTE = '/v1/files';
const JSON_TYPE = 'application/json';
const PAGE = 1000;

export interface UploadOptions {
  /** `user_data`, the default, or `vision` for a clip, `batch` for the lines of a batch. */
  purpose?: Exclude<Purpose, 'batch_output'>;
  /** By which lists show it; by default that of the `File`, if it is one. */
  filename?: string;
  /** Seconds until the server deletes it, 3600 to 2592000; by default as long as it keeps files. */
  keepSeconds?: number;
  signal?: AbortSignal;
}

export interface ListFilesOptions {
  /** Lists those of one purpose. */
  purpose?: Purpose;
  signal?: AbortSignal;
}

/** Uploads files to a server that keeps them, and manages them there. */
export class Files {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /**
   * Upload a file; its `id` is a clip's `videoPath` in requests.
   *
   * @param file - What holds its bytes, or in Node its path.
   */
  async upload(
    file: Video | string,
    { purpose = 'user_data', filename, keepSeconds, signal }: UploadOptions = {},
  ): Promise<FileObject> {
    const content = typeof file === 'string' ? await opened(file) : await blobOf(file);
    const body = new FormData();
    body.append('purpose', purpose);
    if (keepSeconds != null) {
      body.append('expires_after[anchor]', 'created_at');
      body.append('expires_after[seconds]', String(keepSeconds));
    }
    body.append('file', content, filename ?? (content instanceof File ? content.name : 'file'));
    const outgoing = { path: ROUTE, method: 'POST', accept: JSON_TYPE, body, signal } as const;
    return parse<FileObject>(await this.#http.answer(outgoing), 'filename');
  }

  /** Yield your files, the newest first. */
  async *list({ purpose, signal }: ListFilesOptions = {}): AsyncGenerator<FileObject> {
    yield* pages<FileObject>(this.#http, ROUTE, { limit: PAGE, purpose }, signal);
  }

  /** Delete a file from the server. */
  async delete(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<FileDeleted> {
    const outgoing = { path: pathOf(id), method: 'DELETE', accept: JSON_TYPE, signal } as const;
    return parse<FileDeleted>(await this.#http.answer(outgoing), 'deleted');
  }

  /** The bytes of a file. */
  async content(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<Blob> {
    const path = `${pathOf(id)}/content`;
    return (await this.#http.open({ path, method: 'GET', accept: '*/*', signal })).blob();
  }
}

/** The path of a file's route. */
export function pathOf(id: string): string {
  return `${ROUTE}/${encodeURIComponent(id)}`;
}

/** Yield all items of a list that comes in pages. */
export async function* pages<Item>(
  http: Http,
  path: string,
  query: Record<string, string | number | undefined>,
  signal?: AbortSignal,
): AsyncGenerator<Item> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const words = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  for (;;) {
    const outgoing = {
      path: `${path}?${words}`,
      method: 'GET',
      accept: JSON_TYPE,
      signal,
    } as const;
    const page = parse<Page<Item>>(await http.answer(outgoing), 'data');
    yield* page.data;
    if (!page.has_more || page.last_id === null) {
      return;
    }
    words.set('after', page.last_id);
  }
}

async function opened(path: string): Promise<File> {
  const { file, reason = 'A browser has no paths: give the file itself.' } = await localFile(path);
  if (!file) {
    throw new TypeError(`${path}: ${reason}`);
  }
  return file.open();
}
