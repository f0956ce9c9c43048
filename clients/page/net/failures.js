/** Failures: which of the page's words an error of the SDK gets. */

import { currentKey } from '../core/key.js';
import {
  AuthenticationError,
  ConnectionFailed,
  EmotionLLaMAError,
  GatewayTimeoutError,
  InvalidAnswer,
  OverloadedError,
  PayloadTooLargeError,
  RateLimitError,
  RequestTimeout,
  ServerError,
} from '../vendor/emotion-llama-sdk/index.js';

/** @import { App, Failure, Run } from '../types.d.ts' */

/**
 * @param {unknown} error
 * @returns {Failure}
 */
export function failureOf(error) {
  if (!(error instanceof EmotionLLaMAError)) {
    return { kind: 'server', message: String(error) };
  }
  const { message, param, requestId } = error;
  return { kind: kindOf(error), message, param, requestId };
}

/**
 * @param {EmotionLLaMAError} error
 * @returns {Failure['kind']}
 */
function kindOf(error) {
  if (error instanceof AuthenticationError) {
    return currentKey() ? 'key_wrong' : 'key_missing';
  }
  if (error instanceof RateLimitError) {
    return 'rate';
  }
  if (error instanceof OverloadedError) {
    return 'busy';
  }
  if (error instanceof PayloadTooLargeError) {
    return 'too_large';
  }
  if (error instanceof ConnectionFailed) {
    return 'offline';
  }
  if (error instanceof RequestTimeout || error instanceof GatewayTimeoutError) {
    return 'timeout';
  }
  const isServers = error instanceof ServerError || error instanceof InvalidAnswer;
  return isServers || error.status === undefined ? 'server' : 'refused';
}

/**
 * How long the server asks to be left alone; null for errors that a later attempt would meet again.
 *
 * @param {unknown} error
 * @returns {{reason: 'busy' | 'rate', seconds: number | undefined} | null}
 */
export function pauseOf(error) {
  if (error instanceof RateLimitError) {
    return { reason: 'rate', seconds: error.retryAfter };
  }
  return error instanceof OverloadedError ? { reason: 'busy', seconds: error.retryAfter } : null;
}

/**
 * Why a run failed, which depends on how far it was.
 *
 * @param {App} app
 * @param {Run} run
 * @param {unknown} error
 * @returns {Promise<Failure>}
 */
export async function whyFailed(app, run, error) {
  const failure = failureOf(error);
  const isLost = failure.kind === 'offline';
  if (run.kind === 'streaming' && (isLost || failure.message?.includes('broke off'))) {
    return { ...failure, kind: 'broke_off' };
  }
  return run.kind === 'sending' && isLost ? whyLost(app) : failure;
}

/**
 * Why an upload broke: a server that refuses early closes the connection before it was heard.
 *
 * @param {App} app
 * @returns {Promise<Failure>}
 */
export async function whyLost(app) {
  try {
    const ready = await fetch('readyz');
    if (ready.status === 503) {
      return { kind: 'busy' };
    }
    await app.client().models();
    return { kind: 'lost_upload' };
  } catch (error) {
    return error instanceof EmotionLLaMAError ? failureOf(error) : { kind: 'offline' };
  }
}
