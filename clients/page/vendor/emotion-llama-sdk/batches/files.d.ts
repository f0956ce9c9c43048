/** `client.files`: files that are uploaded ahead to a server that keeps them. */
import type { Http } from '../http.js';
import type { Video } from '../options.js';
import type { FileDeleted, FileObject, Purpose } from './schema.js';
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
export declare class Files {
    #private;
    constructor(http: Http);
    /**
     * Upload a file; its `id` is a clip's `videoPath` in requests.
     *
     * @param file - What holds its bytes, or in Node its path.
     */
    upload(file: Video | string, { purpose, filename, keepSeconds, signal }?: UploadOptions): Promise<FileObject>;
    /** Yield your files, the newest first. */
    list({ purpose, signal }?: ListFilesOptions): AsyncGenerator<FileObject>;
    /** Delete a file from the server. */
    delete(id: string, { signal }?: {
        signal?: AbortSignal;
    }): Promise<FileDeleted>;
    /** The bytes of a file. */
    content(id: string, { signal }?: {
        signal?: AbortSignal;
    }): Promise<Blob>;
}
/** The path of a file's route. */
export declare function pathOf(id: string): string;
/** Yield all items of a list that comes in pages. */
export declare function pages<Item>(http: Http, path: string, query: Record<string, string | number | undefined>, signal?: AbortSignal): AsyncGenerator<Item>;
