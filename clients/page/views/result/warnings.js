/** Doubts: what a reader should know about an answer before believing it. */

import { secondsText } from '../../core/time.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';

/** @import { App, Shown, State, Strings } from '../../types.d.ts' */

/** Seconds of a clip of which one picture says little. */
const LONG = 3;

/** Seconds of sound in which a voice cannot be judged. */
const SHORT = 0.5;

/** Of the server's, those for which the page has words of its own. */
const TOLD_HERE = ['unknown_label', 'no_sound', 'no_picture'];

/**
 * The warnings about what is shown; those with `isEnglish` are in the server's own words.
 *
 * @param {Shown} shown
 * @param {Pick<State, 'duration' | 'server'>} state
 * @param {Strings} t
 * @returns {{text: string, isEnglish?: boolean}[]}
 */
export function warningsOf(shown, { duration, server }, t) {
  const { clip, options } = shown.asked;
  const { answer } = shown;
  const isDemo = server.model?.demonstration === true;
  const isRecorded = clip.kind === 'file' && clip.recorded === true;
  return [
    ...(isRecorded && isDemo ? [t.camera_demo] : []),
    ...(clip.kind === 'file' && clip.grey ? [t.warning_grey] : []),
    ...(options.labels ? [t.warning_own_labels] : []),
    ...(shown.emotion?.answer_matches === false && shown.emotion.answer
      ? [t.warning_mismatch({ w: shown.emotion.answer })]
      : []),
    ...(answer ? ofEvidence(answer.evidence, duration, shown.windows.length > 0, t) : []),
  ]
    .map((text) => /** @type {{text: string, isEnglish?: boolean}} */ ({ text }))
    .concat(ofServer(answer));
}

/**
 * @param {import('../../vendor/emotion-llama-sdk/index.js').Evidence} evidence
 * @param {number | null} duration
 * @param {boolean} hasWindows
 * @param {Strings} t
 */
function ofEvidence(evidence, duration, hasWindows, t) {
  const { has_audio, has_picture, audio_seconds, frame_time } = evidence;
  const length = duration ?? audio_seconds;
  const time = secondsText(t, frame_time, 2);
  return [
    ...(has_picture === false ? [t.warning_no_picture] : []),
    ...(length > LONG && has_picture !== false
      ? [hasWindows ? t.warning_one_each({ time }) : t.warning_one({ time })]
      : []),
    ...(has_audio || duration === 0 ? [] : [t.warning_no_sound]),
    ...(has_audio && audio_seconds < SHORT ? [t.warning_short_sound] : []),
  ];
}

/** @param {Shown['answer']} answer */
function ofServer(answer) {
  return (answer?.warnings ?? [])
    .filter(({ code }) => !TOLD_HERE.includes(code))
    .map(({ message }) => ({ text: message, isEnglish: true }));
}

/**
 * @param {Shown} shown
 * @param {State} state
 * @param {App} app
 */
export function warningsView(shown, state, app) {
  const t = app.t();
  const warnings = warningsOf(shown, state, t);
  if (warnings.length === 0) {
    return nothing;
  }
  return html`<ul class="warnings" aria-label=${t.warnings} role="list">
    ${warnings.map(({ text, isEnglish }) => html`<li lang=${isEnglish ? 'en' : nothing}>${text}</li>`)}
  </ul>`;
}
