/** The error for a request that a server did not answer, with the cure where it is known. */
import { ConnectionFailed, RequestTimeout } from './errors.js';
/** Node's own limits within `fetch`. */
const TIMEOUTS = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'];
/** What Node calls a connection that could not be made. */
const UNREACHABLE = [
    ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
    'UND_ERR_CONNECT_TIMEOUT',
];
/** What Node calls a certificate that it does not trust, or one for another host or time. */
const UNTRUSTED = /CERT|^UNABLE_TO_/;
/** What Node calls an answer that is not TLS. */
const NO_TLS = /^ERR_SSL_/;
/**
 * The error for a request that `server` did not answer.
 *
 * @param error - What `fetch` threw; a browser does not tell its cause.
 */
export function unanswered(error, server) {
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause?.code ?? '';
    if (TIMEOUTS.includes(code)) {
        return outOfTime(error, server);
    }
    const words = cause?.message || code || String(error);
    return new ConnectionFailed(sentence(server, code, words.trim().replace(/[. ]+$/, '')), {
        cause: error,
    });
}
/** The error for a server that was silent for too long. */
export function outOfTime(error, server) {
    return new RequestTimeout(`The server at ${server} did not answer in time.`, { cause: error });
}
function sentence(server, code, words) {
    if (UNTRUSTED.test(code)) {
        return (`The certificate of ${server} is not trusted (${words}): set NODE_EXTRA_CA_CERTS to ` +
            "the certificate's file, and use a host name that the certificate contains.");
    }
    const unreachable = `The server at ${server} cannot be reached (${words})`;
    if (NO_TLS.test(code)) {
        return `${unreachable}; if it speaks HTTP, write http://.`;
    }
    if (code === '' || UNREACHABLE.includes(code)) {
        return (`${unreachable}: start one with \`emotion-llama serve\`, ` +
            'or give the address of one that runs.');
    }
    const hint = server.startsWith('http://') ? '; if it speaks HTTPS, write https://' : '';
    return `The server at ${server} closed the connection (${words})${hint}.`;
}
