/** `client.batches`: the requests about many clips as one job of the server. */
import { parse } from '../answer.js';
import { OverloadedError, RateLimitError } from '../errors.js';
import { linesOf } from '../events.js';
import { underWay } from '../many.js';
import { localFile } from '../node.js';
import { taskOf } from '../options.js';
import { pause } from '../retry.js';
import { pages, pathOf } from './files.js';
import { analysisOf, clipSeconds, linesOfClips, resultOf, } from './lines.js';
const ROUTE = '/v1/batches';
const ASKED = '/v1/emotion';
const PAGE = 100;
/** How often a clip is sent again after 429 or 503, beside the retries of each request. */
const MOST_REFUSALS = 30;
const REFUSED_SECONDS = 10;
/** After which nothing more happens to a batch. */
const OVER = ['completed', 'failed', 'expired', 'cancelled'];
/** Has the requests about many clips answered as one job, which needs no client meanwhile. */
export class Batches {
    #http;
    #files;
    constructor(http, files) {
        this.#http = http;
        this.#files = files;
    }
    /**
     * Upload clips, and submit one request about each as a batch. The server deletes the uploaded clips
     * a day after the completion window.
     *
     * @param clips - `File`s and, in Node, local files, which are uploaded; URLs, paths on the server and
     *   ids of uploaded files, which are not.
     * @throws TypeError - There are no clips or too many, or an option cannot be sent.
     */
    async submit(clips, { ownOptions, completionWindow = '24h', metadata, concurrency = 8, onUpload = throwError, signal, ...options } = {}) {
        const keepSeconds = clipSeconds(completionWindow);
        const asked = linesOfClips(clips, (clip) => {
            const { explain, ...own } = { ...options, ...ownOptions?.(clip) };
            return { ...own, task: taskOf(own.task, explain) };
        });
        const videos = new Map();
        const one = (clip, signal) => this.#upload(clip, keepSeconds, signal);
        for await (const upload of underWay(asked.values(), concurrency, one, signal)) {
            onUpload(upload);
            if (upload.video !== undefined) {
                videos.set(upload.name, upload.video);
            }
        }
        const there = [...asked.values()].filter(({ name }) => videos.has(name));
        if (there.length === 0) {
            throw new TypeError('No clip could be uploaded.');
        }
        const lines = new Blob(there.map(({ name, line }) => line(videos.get(name))));
        return this.#create(lines, { completion_window: completionWindow, metadata }, signal);
    }
    /** A batch, named by its id or by itself, as it is now. */
    async retrieve(batch, { signal } = {}) {
        return this.#ask('GET', pathOfBatch(batch), signal);
    }
    /** Yield your batches, the newest first. */
    async *list({ signal } = {}) {
        yield* pages(this.#http, ROUTE, { limit: PAGE }, signal);
    }
    /** The batch when it is over: completed, failed, expired or cancelled. */
    async wait(batch, { every = 2, onUpdate, signal } = {}) {
        for (;;) {
            const found = await this.retrieve(batch, { signal });
            onUpdate?.(found);
            if (OVER.includes(found.status)) {
                return found;
            }
            await pause(every, signal);
        }
    }
    /**
     * Yield what became of each clip of a batch that is over; a failure is one of them. `videoPath` is
     * the clip's name as submitted. The answers come first, in no order.
     *
     * @throws TypeError - The batch goes on, or was not made by {@link submit} but for chats.
     */
    async *results(batch, { signal } = {}) {
        const found = await this.retrieve(batch, { signal });
        if (!OVER.includes(found.status)) {
            throw new TypeError(`${found.id} is ${found.status}: its results are there when it is over.`);
        }
        if (found.endpoint !== ASKED) {
            throw new TypeError(`${found.id} has answers of ${found.endpoint}: read its output file.`);
        }
        for (const id of [found.output_file_id, found.error_file_id]) {
            yield* id === null ? [] : this.#analyses(id, signal);
        }
    }
    /** End a batch; what is answered until then is kept. */
    async cancel(batch, { signal } = {}) {
        return this.#ask('POST', `${pathOfBatch(batch)}/cancel`, signal);
    }
    async #upload({ name, clip }, keepSeconds, signal) {
        try {
            const { file } = clip instanceof File ? { file: undefined } : await localFile(String(clip));
            const content = clip instanceof File ? clip : await file?.open();
            if (!content) {
                return { name, video: name };
            }
            const { id } = await this.#uploadPatiently(content, keepSeconds, signal);
            return { name, video: id };
        }
        catch (error) {
            return { name, error };
        }
    }
    /** A server with a rate limit counts every clip of a folder. */
    async #uploadPatiently(file, keepSeconds, signal) {
        for (let refusals = 1;; refusals += 1) {
            try {
                return await this.#files.upload(file, { keepSeconds, signal });
            }
            catch (error) {
                const isRefused = error instanceof RateLimitError || error instanceof OverloadedError;
                if (!isRefused || refusals > MOST_REFUSALS) {
                    throw error;
                }
                await pause(error.retryAfter ?? REFUSED_SECONDS, signal);
            }
        }
    }
    async #create(lines, more, signal) {
        const given = { purpose: 'batch', filename: 'clips.jsonl', signal };
        const { id } = await this.#files.upload(lines, given);
        const body = JSON.stringify({ input_file_id: id, endpoint: ASKED, ...more });
        return this.#ask('POST', ROUTE, signal, body);
    }
    async #ask(method, path, signal, body) {
        const isRepeatable = body === undefined; // sent twice, it would be two batches
        const accept = 'application/json';
        const answer = await this.#http.answer({ method, path, accept, body, signal, isRepeatable });
        return parse(answer, 'request_counts');
    }
    async *#analyses(id, signal) {
        const path = `${pathOf(id)}/content`;
        const incoming = await this.#http.open({ path, method: 'GET', accept: '*/*', signal });
        try {
            for await (const line of linesOf(incoming.pieces())) {
                yield analysisOf(resultOf(line));
            }
        }
        finally {
            incoming.close();
        }
    }
}
function throwError({ error }) {
    if (error !== undefined) {
        throw error;
    }
}
function pathOfBatch(batch) {
    return `${ROUTE}/${encodeURIComponent(typeof batch === 'string' ? batch : batch.id)}`;
}
