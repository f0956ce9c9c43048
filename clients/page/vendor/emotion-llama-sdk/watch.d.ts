/** When a request is given up: the server falls silent, or its caller wants it no more. */
/** Watches over one request. */
export declare class Watch {
    #private;
    /**
     * @param server - Names the server in messages.
     * @param seconds - How long the server may be silent.
     * @param caller - Says when the request is wanted no more.
     */
    constructor(server: string, seconds: number, caller?: AbortSignal);
    /** For `fetch`. */
    get signal(): AbortSignal;
    /**
     * Wait for something of the server's. The time that the caller takes between two of them is not
     * the server's.
     */
    waitFor<T>(coming: Promise<T>): Promise<T>;
    /** The request is over, or is to be: what has not been read of its answer is sent no more. */
    close(): void;
}
