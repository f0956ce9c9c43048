/** One attempt at an analysis: sends the clip, and shows what comes of the answer. */

import { NOTHING_YET, withEvent } from '../core/partial.js';

/** @import { App, Asked, EmotionResponse, PartialAnswer, Run } from '../types.d.ts' */
/** @import { StreamEvent } from '../vendor/emotion-llama-sdk/index.js' */

/** Milliseconds between two changes for who wants little motion. */
const CALM = 250;

/**
 * Ask once, and show what comes.
 *
 * @param {App} app
 * @param {Asked} asked
 * @param {AbortSignal} signal
 * @returns {Promise<EmotionResponse>}
 */
export function attempt(app, asked, signal) {
  const { clip, options } = asked;
  const show = (/** @type {Run} */ run) => {
    if (!signal.aborted) {
      app.store.set({ run });
    }
  };
  const client = app.client({
    onProgress: (sent, total) => show({ kind: 'sending', asked, sent, total }),
    onSent: () => show({ kind: 'waiting', asked }),
  });
  const named = clip.kind === 'file' ? { video: clip.file } : { videoPath: clip.name };
  const total = clip.kind === 'file' ? clip.file.size : 0;
  show(total ? { kind: 'sending', asked, sent: 0, total } : { kind: 'waiting', asked });
  app.announce(app.t().run_begun);
  return app.slots.run(() => {
    const events = client.stream({ ...named, ...options, signal });
    return collect(events, (partial) => show({ kind: 'streaming', asked, partial }), app);
  }, signal);
}

/**
 * Put the answer together.
 *
 * @param {AsyncIterable<StreamEvent>} events
 * @param {(partial: PartialAnswer) => void} show
 * @param {App} app
 * @returns {Promise<EmotionResponse>}
 */
async function collect(events, show, app) {
  const pause = matchMedia('(prefers-reduced-motion: reduce)').matches ? CALM : 0;
  let partial = NOTHING_YET;
  let shownAt = Number.NEGATIVE_INFINITY;
  try {
    for await (const event of events) {
      if (event.type === 'done') {
        return event.data;
      }
      if (partial === NOTHING_YET) {
        app.announce(app.t().run_answering);
      }
      partial = withEvent(partial, event);
      if (performance.now() - shownAt >= pause) {
        show(partial);
        shownAt = performance.now();
      }
    }
  } catch (error) {
    if (partial !== NOTHING_YET) {
      show(partial);
    }
    throw error;
  }
  throw new Error('The stream ended without its last event.');
}
