/** The header by which a router sends all requests about a clip to the same replica. */
/** Bytes; a larger clip is not brought into memory, and its requests have no session. */
const LARGEST = 2 ** 28;
/**
 * The header for a clip or for the path or URL that names it: a SHA-256 in hexadecimal digits. Pages
 * from plain HTTP cannot compute it and send none.
 */
export async function sessionHeaders(clip) {
    const subtle = globalThis.crypto?.subtle;
    if (!subtle || (typeof clip !== 'string' && clip.size > LARGEST)) {
        return {};
    }
    const content = typeof clip === 'string' ? contentOf(clip) : await clip.arrayBuffer();
    return { 'X-Session-ID': asHex(await subtle.digest('SHA-256', content)) };
}
/** The bytes in a data URL in base64; of any other name, the name itself. */
function contentOf(name) {
    const comma = name.indexOf(',');
    if (/^data:[^,]*;base64$/i.test(name.slice(0, comma))) {
        try {
            return Uint8Array.from(atob(name.slice(comma + 1)), (byte) => byte.charCodeAt(0));
        }
        catch {
            // The server will say what is wrong.
        }
    }
    return new TextEncoder().encode(name);
}
function asHex(digest) {
    const digits = (byte) => byte.toString(16).padStart(2, '0');
    return Array.from(new Uint8Array(digest), digits).join('');
}
