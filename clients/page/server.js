/** The server: whether it answers, and what it serves. */

import { currentKey } from './core/key.js';
import { AuthenticationError, OverloadedError } from './vendor/emotion-llama-sdk/index.js';

/** @import { App, ServerState } from './types.d.ts' */

/** Milliseconds until a server that does not answer is asked again. */
const AGAIN = 3000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Ask what the server serves, and go on asking for as long as it does not answer.
 *
 * @param {App} app
 */
export async function checkServer(app) {
  clearTimeout(timer);
  const kind = await ask(app);
  if (kind === 'unreachable' || kind === 'loading') {
    timer = setTimeout(() => checkServer(app), AGAIN);
  }
}

/**
 * @param {App} app
 * @returns {Promise<ServerState['kind']>}
 */
async function ask(app) {
  const { server } = app.store.get();
  try {
    const { data } = await app.client().models();
    app.store.set({ server: { kind: 'ready', model: data[0] ?? null } });
    return 'ready';
  } catch (error) {
    const kind = kindOf(error);
    if (kind !== server.kind) {
      app.store.set({ server: { ...server, kind } });
    }
    return kind;
  }
}

/**
 * @param {unknown} error
 * @returns {ServerState['kind']}
 */
function kindOf(error) {
  if (error instanceof AuthenticationError) {
    return currentKey() ? 'key_wrong' : 'key_missing';
  }
  return error instanceof OverloadedError ? 'loading' : 'unreachable';
}
