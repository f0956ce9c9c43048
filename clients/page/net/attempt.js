/** One attempt at an analysis: sends the clip, and shows what comes of the answer. */

import { NOTHING_YET, withEvent } from '../core/partial.js';

/** @import { App, Asked, EmotionResponse, Run } from '../types.d.ts' */

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
  return app.slots.run(async () => {
    let partial = NOTHING_YET;
    for await (const event of client.stream({ ...named, ...options, signal })) {
      if (event.type === 'done') {
        return event.data;
      }
      if (partial === NOTHING_YET) {
        app.announce(app.t().run_answering);
      }
      partial = withEvent(partial, event);
      show({ kind: 'streaming', asked, partial });
    }
    throw new Error('The stream ended without its last event.');
  }, signal);
}
