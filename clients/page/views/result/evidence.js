/** Evidence: what the numbers were read from, and by which model. */

import { secondsText } from '../../core/time.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { frameView } from './frame.js';

/** @import { App, EmotionResponse, State, Strings } from '../../types.d.ts' */
/** @import { Track } from '../../vendor/emotion-llama-sdk/index.js' */

/**
 * @param {EmotionResponse} answer
 * @param {State} state
 * @param {App} app
 */
export function evidenceView(answer, state, app) {
  const t = app.t();
  const { evidence, timing, usage, id } = answer;
  return html`<section class="card evidence stack" aria-labelledby="evidence">
    <h2 id="evidence">${t.evidence}</h2>
    <div class="evidence-main">
      ${frameView(state, app)}
      <dl class="facts">
        ${fact(t.evidence_seen, seen(answer, state, t))} ${fact(t.evidence_heard, heard(answer, t))}
        ${evidence.transcript ? fact(t.evidence_words, evidence.transcript) : nothing}
        ${track(t.evidence_video, evidence.video_track, t)}
        ${track(t.evidence_audio, evidence.audio_track, t)}
        ${fact(
          t.evidence_features,
          evidence.features.length > 0 ? evidence.features.join(', ') : t.evidence_no_features,
        )}
        ${fact(t.evidence_took, secondsText(t, timing.total, 2))}
      </dl>
    </div>
    <details>
      <summary>${t.evidence_more}</summary>
      <dl class="facts">
        ${fact(t.evidence_model, evidence.checkpoint)}
        ${
          evidence.manifest
            ? fact(t.evidence_manifest, html`<code>${evidence.manifest.slice(0, 16)}…</code>`)
            : nothing
        }
        ${fact(t.evidence_id, html`<code>${id}</code>`)}
        ${fact(
          t.evidence_tokens,
          t.evidence_counts({ a: usage.prompt_tokens, b: usage.completion_tokens }),
        )}
        ${fact(
          t.evidence_times,
          t.evidence_steps({
            decode: secondsText(t, timing.decode, 2),
            first: timing.first_token === null ? '–' : secondsText(t, timing.first_token, 2),
          }),
        )}
        ${fact(t.evidence_prompt, html`<code class="prompt" lang="en">${evidence.prompt}</code>`)}
      </dl>
    </details>
  </section>`;
}

/** @param {string} name @param {unknown} value */
function fact(name, value) {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

/**
 * @param {EmotionResponse} answer
 * @param {State} state
 * @param {Strings} t
 */
function seen({ evidence }, { duration }, t) {
  const { frame_index, frame_time, has_picture } = evidence;
  if (has_picture === false) {
    return t.evidence_no_picture;
  }
  return duration === 0
    ? t.evidence_picture
    : t.evidence_frame({ n: frame_index, time: secondsText(t, frame_time, 2) });
}

/** @param {EmotionResponse} answer @param {Strings} t */
function heard({ evidence }, t) {
  return evidence.has_audio
    ? t.evidence_sound({ time: secondsText(t, evidence.audio_seconds) })
    : t.evidence_no_sound;
}

/**
 * Which track was taken, where there was a choice.
 *
 * @param {string} name
 * @param {Track | null | undefined} track
 * @param {Strings} t
 */
function track(name, track, t) {
  if (!track || track.count < 2) {
    return nothing;
  }
  const language = track.language ? ` (${track.language})` : '';
  return fact(name, t.evidence_track({ n: track.index + 1, m: track.count }) + language);
}
