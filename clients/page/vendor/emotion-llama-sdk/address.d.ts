/** The address of a server. */
/**
 * The base address of a server: `host:port` and an address that ends in `/v1` work too. In a browser
 * it may also be a path of the page's own origin.
 *
 * @throws TypeError - It is no http(s) address.
 */
export declare function baseUrl(address: string | URL): string;
