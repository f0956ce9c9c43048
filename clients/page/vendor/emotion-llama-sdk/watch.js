/** When a request is given up: the server falls silent, or its caller wants it no more. */
import { outOfTime, unanswered } from './unanswered.js';
/** The longest that a timer can run; a longer one would end at once. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Watches over one request. */
export class Watch {
    #controller = new AbortController();
    #server;
    #milliseconds;
    #caller;
    #onAbort = () => this.#controller.abort(this.#caller?.reason);
    #isSilent = false;
    /**
     * @param server - Names the server in messages.
     * @param seconds - How long the server may be silent.
     * @param caller - Says when the request is wanted no more.
     */
    constructor(server, seconds, caller) {
        this.#server = server;
        this.#milliseconds = Math.min(seconds * 1000, LONGEST_TIMER);
        this.#caller = caller;
        if (caller?.aborted) {
            this.#onAbort();
        }
        caller?.addEventListener('abort', this.#onAbort);
    }
    /** For `fetch`. */
    get signal() {
        return this.#controller.signal;
    }
    /**
     * Wait for something of the server's. The time that the caller takes between two of them is not
     * the server's.
     */
    async waitFor(coming) {
        const timer = setTimeout(() => {
            this.#isSilent = true;
            this.#controller.abort();
        }, this.#milliseconds);
        try {
            return await coming;
        }
        catch (error) {
            throw this.#reason(error);
        }
        finally {
            clearTimeout(timer);
        }
    }
    /** The request is over, or is to be: what has not been read of its answer is sent no more. */
    close() {
        this.#caller?.removeEventListener('abort', this.#onAbort);
        this.#controller.abort();
    }
    #reason(error) {
        if (this.#caller?.aborted) {
            return this.#caller.reason;
        }
        return this.#isSilent ? outOfTime(error, this.#server) : unanswered(error, this.#server);
    }
}
