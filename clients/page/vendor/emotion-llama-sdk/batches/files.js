/** `client.files`: files that are uploaded ahead to a server that keeps them. */
import { parse } from '../answer.js';
import { localFile } from '../node.js';
import { blobOf } from '../upload.js';
const ROUTE = '/v1/files';
const JSON_TYPE = 'application/json';
const PAGE = 1000;
/** Uploads files to a server that keeps them, and manages them there. */
export class Files {
    #http;
    constructor(http) {
        this.#http = http;
    }
    /**
     * Upload a file; its `id` is a clip's `videoPath` in requests.
     *
     * @param file - What holds its bytes, or in Node its path.
     */
    async upload(file, { purpose = 'user_data', filename, keepSeconds, signal } = {}) {
        const content = typeof file === 'string' ? await opened(file) : await blobOf(file);
        const body = new FormData();
        body.append('purpose', purpose);
        if (keepSeconds != null) {
            body.append('expires_after[anchor]', 'created_at');
            body.append('expires_after[seconds]', String(keepSeconds));
        }
        body.append('file', content, filename ?? (content instanceof File ? content.name : 'file'));
        const outgoing = { path: ROUTE, method: 'POST', accept: JSON_TYPE, body, signal };
        return parse(await this.#http.answer(outgoing), 'filename');
    }
    /** Yield your files, the newest first. */
    async *list({ purpose, signal } = {}) {
        yield* pages(this.#http, ROUTE, { limit: PAGE, purpose }, signal);
    }
    /** Delete a file from the server. */
    async delete(id, { signal } = {}) {
        const outgoing = { path: pathOf(id), method: 'DELETE', accept: JSON_TYPE, signal };
        return parse(await this.#http.answer(outgoing), 'deleted');
    }
    /** The bytes of a file. */
    async content(id, { signal } = {}) {
        const path = `${pathOf(id)}/content`;
        return (await this.#http.open({ path, method: 'GET', accept: '*/*', signal })).blob();
    }
}
/** The path of a file's route. */
export function pathOf(id) {
    return `${ROUTE}/${encodeURIComponent(id)}`;
}
/** Yield all items of a list that comes in pages. */
export async function* pages(http, path, query, signal) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const words = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    for (;;) {
        const outgoing = {
            path: `${path}?${words}`,
            method: 'GET',
            accept: JSON_TYPE,
            signal,
        };
        const page = parse(await http.answer(outgoing), 'data');
        yield* page.data;
        if (!page.has_more || page.last_id === null) {
            return;
        }
        words.set('after', page.last_id);
    }
}
async function opened(path) {
    const { file, reason = 'A browser has no paths: give the file itself.' } = await localFile(path);
    if (!file) {
        throw new TypeError(`${path}: ${reason}`);
    }
    return file.open();
}
