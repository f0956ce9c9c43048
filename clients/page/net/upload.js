/** A `fetch` over XMLHttpRequest: `fetch` itself does not tell how far an upload is. */

/** @import { Sending } from '../types.d.ts' */

/**
 * A `fetch` for the SDK. Bodies that are forms are sent with progress, all others as ever.
 *
 * @param {Sending} sending
 * @returns {typeof fetch}
 */
export function fetchWith(sending) {
  return (address, init = {}) =>
    init.body instanceof FormData ? send(String(address), init, sending) : fetch(address, init);
}

/**
 * @param {string} address
 * @param {RequestInit} init
 * @param {Sending} sending
 * @returns {Promise<Response>}
 */
function send(address, { method = 'POST', headers, body, signal }, { onProgress, onSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const answer = new Answer(request);
    const stop = () => request.abort();
    request.open(method, address);
    for (const [name, value] of new Headers(headers)) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(loaded, total);
    request.upload.onload = () => onSent?.();
    request.onreadystatechange = () => {
      if (request.readyState === XMLHttpRequest.HEADERS_RECEIVED) {
        resolve(answer.response());
      }
    };
    request.onprogress = () => answer.push();
    request.onload = () => answer.end();
    request.onerror = () => reject(answer.fail(new TypeError('The connection broke.')));
    request.onabort = () =>
      reject(answer.fail(signal?.reason ?? new DOMException('', 'AbortError')));
    request.onloadend = () => signal?.removeEventListener('abort', stop);
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    request.send(/** @type {FormData} */ (body));
  });
}

/** The answer to one request, whose text is passed on as it comes. */
class Answer {
  #read = 0;
  #request;
  /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */
  #pieces;
  #encoder = new TextEncoder();
  #body;

  /** @param {XMLHttpRequest} request */
  constructor(request) {
    this.#request = request;
    this.#body = new ReadableStream({
      start: (controller) => {
        this.#pieces = controller;
      },
      cancel: () => request.abort(),
    });
  }

  response() {
    const { status } = this.#request;
    const hasNoBody = status === 204 || status === 304;
    return new Response(hasNoBody ? null : this.#body, { status, headers: this.#headers() });
  }

  push() {
    const text = this.#request.responseText;
    if (text.length > this.#read) {
      this.#pieces?.enqueue(this.#encoder.encode(text.slice(this.#read)));
      this.#read = text.length;
    }
  }

  end() {
    this.push();
    this.#pieces?.close();
    this.#pieces = undefined;
  }

  /** @param {unknown} error */
  fail(error) {
    this.#pieces?.error(error);
    this.#pieces = undefined;
    return error;
  }

  #headers() {
    const headers = new Headers();
    for (const line of this.#request.getAllResponseHeaders().split('\r\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) {
        headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
      }
    }
    return headers;
  }
}
