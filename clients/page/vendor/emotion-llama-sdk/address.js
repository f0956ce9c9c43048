/** The address of a server. */
/** The end of an address that was copied from another client's settings or from an example. */
const ENDPOINT = /\/v1(\/emotion|\/chat\/completions|\/models)?$/i;
/**
 * The base address of a server: `host:port` and an address that ends in `/v1` work too. In a browser
 * it may also be a path of the page's own origin.
 *
 * @throws TypeError - It is no http(s) address.
 */
export function baseUrl(address) {
    const text = String(address).trim();
    const origin = globalThis.location?.origin;
    if (origin?.startsWith('http') && (text === '' || text.startsWith('/'))) {
        return base(new URL(text || '/', origin));
    }
    const written = text.includes('://') ? text : `http://${text}`;
    const url = URL.canParse(written) ? new URL(written) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) {
        const told = JSON.stringify(text);
        throw new TypeError(`${told} is no server's address; one reads http://localhost:7889.`);
    }
    return base(url);
}
function base(url) {
    const path = url.pathname.replace(/\/+$/, '').replace(ENDPOINT, '').replace(/\/+$/, '');
    return `${url.origin}${path}`;
}
