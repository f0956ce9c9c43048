/** The chat about the clip: asks, shows the answer as it comes, and begins anew. */

import { focusSoon } from '../core/focus.js';
import { failureOf } from '../net/failures.js';
import { withRetries } from '../net/retry.js';
import { messagesOf } from './messages.js';
import { NO_CHAT } from './state.js';

/** @import { App, Clip } from '../types.d.ts' */
/** @import { ChatState, Turn } from './types.d.ts' */

/** Milliseconds; words come in whole pieces, not one by one. */
const PIECES = 250;

/** @type {AbortController | null} */
let running = null;
/** Ends the pause before the next attempt. */
let goOn = () => {};

/**
 * Begin anew with each clip.
 *
 * @param {App} app
 */
export function installChat(app) {
  let of = app.store.get().clip;
  app.store.subscribe(({ clip }) => {
    if (clip !== of) {
      const isSame = nameOf(clip) === nameOf(of);
      of = clip;
      if (!isSame) {
        newChat(app);
      }
    }
  });
}

/** @param {App} app */
export function newChat(app) {
  running?.abort();
  running = null;
  const { isOpen } = app.store.get().chat;
  app.store.set({ chat: { ...NO_CHAT, isOpen } });
}

/** @param {App} app */
export function stopAnswer(app) {
  running?.abort();
  running = null;
  changeLast(app, { state: 'stopped' });
  focusSoon('#chat-question');
  changeChat(app, { retryIn: null });
}

/** Ask a busy server again at once. */
export function askNow() {
  goOn();
}

/**
 * Ask a question about the clip.
 *
 * @param {App} app
 * @param {string} question - With the model's own tag, if it has one.
 */
export async function ask(app, question) {
  const { chat, form } = app.store.get();
  if (!question.trim() || running) {
    return;
  }
  const transcript = chat.turns.length === 0 ? form.transcript : chat.transcript;
  /** @type {Turn} */
  const turn = { question: question.trim(), answer: '', state: 'waiting', failure: null };
  changeChat(app, { turns: [...heard(chat.turns), turn], transcript, draft: '', isTooLong: false });
  app.announce(app.t().chat_asked);
  if (!document.activeElement?.matches('#chat-question')) {
    focusSoon('.turns'); // a suggestion is not there while the model answers
  }
  await answer(app);
}

/**
 * Ask the last question again.
 *
 * @param {App} app
 */
export async function askAgain(app) {
  changeLast(app, { answer: '', state: 'waiting', failure: null });
  await answer(app);
}

/**
 * Turns without those that were never answered, as a history has an answer to each question.
 *
 * @param {readonly Turn[]} turns
 */
function heard(turns) {
  return turns.filter(({ answer }) => answer !== '');
}

/** @param {App} app */
async function answer(app) {
  const controller = new AbortController();
  const { signal } = controller;
  running = controller;
  try {
    await withRetries(() => app.slots.run(() => stream(app, signal), signal), {
      signal,
      mayRetry: () => !app.store.get().chat.turns.at(-1)?.answer,
      onPause({ seconds, now }) {
        goOn = now;
        changeChat(app, { retryIn: seconds });
      },
    });
    app.announce(app.t().chat_answered);
  } catch (error) {
    if (!signal.aborted) {
      fail(app, error);
    }
  } finally {
    if (running === controller) {
      running = null;
    }
    if (document.activeElement?.matches('#chat-stop')) {
      focusSoon('#chat-question');
    }
  }
}

/**
 * @param {App} app
 * @param {AbortSignal} signal
 */
async function stream(app, signal) {
  changeChat(app, { retryIn: null });
  const { chat, clip, settings, server } = app.store.get();
  const named = clip?.kind === 'file' ? { video: clip.file } : { videoPath: clip?.name ?? '' };
  const { temperature, maxTokens, seed } = settings;
  const events = app.client().chat({
    model: server.model?.id,
    ...named,
    messages: messagesOf(chat.transcript, chat.turns),
    temperature,
    maxTokens,
    ...(seed !== null && { seed }),
    signal,
  });
  let text = '';
  let reason = null;
  let shown = 0;
  for await (const { delta, finishReason } of events) {
    text += delta;
    reason = finishReason ?? reason;
    if (performance.now() - shown > PIECES) {
      shown = performance.now();
      changeLast(app, { answer: text, state: 'streaming' });
    }
  }
  signal.throwIfAborted();
  changeLast(app, { answer: text, state: reason === 'length' ? 'cut' : 'done' });
}

/**
 * @param {App} app
 * @param {unknown} error
 */
function fail(app, error) {
  const isTooLong = codeOf(error) === 'context_length_exceeded';
  changeLast(app, { state: 'failed', failure: isTooLong ? null : failureOf(error) });
  changeChat(app, { isTooLong, retryIn: null });
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** @param {Clip | null} clip */
function nameOf(clip) {
  return clip?.kind === 'file' ? clip.file : clip?.name;
}

/**
 * @param {App} app
 * @param {Partial<ChatState>} patch
 */
export function changeChat(app, patch) {
  app.store.set({ chat: { ...app.store.get().chat, ...patch } });
}

/**
 * @param {App} app
 * @param {Partial<Turn>} patch
 */
function changeLast(app, patch) {
  const { turns } = app.store.get().chat;
  const last = turns.at(-1);
  if (last) {
    changeChat(app, { turns: turns.with(-1, { ...last, ...patch }) });
  }
}
