/** The header by which a router sends all requests about a clip to the same replica. */
/**
 * The header for a clip or for the path or URL that names it: a SHA-256 in hexadecimal digits. Pages
 * from plain HTTP cannot compute it and send none.
 */
export declare function sessionHeaders(clip: Blob | string): Promise<Record<string, string>>;
