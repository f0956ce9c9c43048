/** Requests as they go out over `fetch`, and answers as they come in. */
import { baseUrl } from './address.js';
import { headOf } from './answer.js';
import { fromAnswer } from './errors.js';
import { withRetries } from './retry.js';
import { Watch } from './watch.js';
/** An answer whose body is left to be read. */
export class Incoming {
    head;
    #response;
    #watch;
    constructor(response, watch) {
        this.head = headOf(response);
        this.#response = response;
        this.#watch = watch;
    }
    /** Read it as a whole. */
    async answer() {
        try {
            return { head: this.head, text: await this.#watch.waitFor(this.#response.text()) };
        }
        finally {
            this.close();
        }
    }
    /** Read its bytes as a whole. */
    async blob() {
        try {
            return await this.#watch.waitFor(this.#response.blob());
        }
        finally {
            this.close();
        }
    }
    /** Its text in whatever pieces it comes. */
    async *pieces() {
        const reader = this.#response.body?.getReader();
        const decoder = new TextDecoder();
        while (reader) {
            const { done, value } = await this.#watch.waitFor(reader.read());
            if (done) {
                return;
            }
            yield decoder.decode(value, { stream: true });
        }
    }
    close() {
        this.#watch.close();
    }
}
/** Asks for one client; what it throws is an error of ours or the reason of an abort. */
export class Http {
    #apiUrl;
    #key;
    #timeout;
    #retries;
    #fetch;
    constructor({ apiUrl, apiKey, timeout, maxRetries, fetch }) {
        this.#apiUrl = baseUrl(apiUrl);
        this.#key = apiKey;
        this.#timeout = timeout;
        this.#retries = maxRetries;
        this.#fetch = fetch;
    }
    /** Ask for an answer. */
    answer(outgoing) {
        const attempt = async () => (await this.#send(outgoing)).answer();
        return withRetries(attempt, this.#retries, outgoing.signal, outgoing.isRepeatable);
    }
    /** Ask for an answer that comes in pieces; it is to be closed. */
    open(outgoing) {
        return withRetries(() => this.#send(outgoing), this.#retries, outgoing.signal);
    }
    async #send({ path, method, body, accept, signal, ...more }) {
        const headers = { ...more.headers, Accept: accept };
        const key = typeof this.#key === 'function' ? await this.#key() : this.#key;
        if (key) {
            headers.Authorization = `Bearer ${key}`;
        }
        if (typeof body === 'string') {
            headers['Content-Type'] = 'application/json'; // a form's own has its boundary
        }
        const watch = new Watch(this.#apiUrl, this.#timeout, signal);
        const send = this.#fetch; // not as a method: `fetch` wants no `this`
        try {
            const request = send(this.#apiUrl + path, { method, headers, body, signal: watch.signal });
            const incoming = new Incoming(await watch.waitFor(request), watch);
            if (incoming.head.status >= 400) {
                throw fromAnswer(await incoming.answer());
            }
            return incoming;
        }
        catch (error) {
            watch.close();
            throw error;
        }
    }
}
