/** The client of the server that gave out this page. */

import { currentKey } from '../core/key.js';
import { EmotionLLaMA } from '../vendor/emotion-llama-sdk/index.js';
import { fetchWith } from './upload.js';

/** @import { Sending } from '../types.d.ts' */

/** Seconds: a little longer than the server gives a request with its upload. */
const TIMEOUT = 310;

/** The server's address: the folder that the page lies in, behind a proxy too. */
export function serverUrl() {
  return new URL('.', document.baseURI).href;
}

/** @param {Sending} [sending] */
export function createClient(sending = {}) {
  return new EmotionLLaMA({
    apiUrl: serverUrl(),
    apiKey: currentKey(),
    timeout: TIMEOUT,
    maxRetries: 0,
    fetch: fetchWith(sending),
  });
}
