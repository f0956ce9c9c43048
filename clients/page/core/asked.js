/** What is asked: the form and the settings as options of the SDK. */

import { answerLanguage } from './settings.js';
import { windowsFor } from './windows.js';

/** @import { Options, State } from '../types.d.ts' */

/**
 * The options of a request about the chosen clip, without the clip. What is the server's default is
 * left out, so that a copied request is short.
 *
 * @param {Pick<State, 'form' | 'settings' | 'duration'>} state
 * @returns {Options}
 */
export function askedOptions({ form, settings, duration }) {
  const { task, labels, frame } = form;
  const question = form.question?.trim();
  const transcript = form.transcript.trim();
  const { temperature, maxTokens, seed } = settings;
  const language = answerLanguage(settings);
  const isMoving = duration !== 0;
  return {
    task,
    ...(question && { question }),
    ...(transcript ? { transcript } : form.isHeard && { transcribe: true }),
    ...(labels && { labels }),
    ...(frame !== 'first' && isMoving && { frame }),
    ...(form.hasTimeline && isMoving && { timeline: windowsFor(form, duration) }),
    ...(language !== 'en' && { language }),
    ...(temperature !== 0 && { temperature }),
    ...(maxTokens !== 256 && { maxTokens }),
    ...(seed !== null && { seed }),
  };
}
