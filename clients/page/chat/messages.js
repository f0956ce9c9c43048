/** The messages of a conversation about one clip, in the form that the model was tuned to. */

/** @import { Turn } from './types.d.ts' */

/** What the model is to do, in brackets in front of a question. */
const TAG = /^\s*\[[a-z]+\]/;

/**
 * @typedef {{role: 'user' | 'assistant', content: string | Part[]}} Message
 * @typedef {{type: 'text', text: string} | {type: 'video_url', video_url: {url: string}}} Part
 */

/**
 * Put a conversation together: the clip and the transcript stand in its first message.
 *
 * @param {string} clip - A data URL, or a name that the server knows.
 * @param {string} transcript
 * @param {readonly Turn[]} turns - The last one is to be answered.
 * @returns {Message[]}
 */
export function messagesOf(clip, transcript, turns) {
  return turns.flatMap(({ question, answer }, index) => {
    const isFirst = index === 0;
    const text = isFirst ? opening(transcript, question) : question;
    /** @type {Message} */
    const asked = {
      role: 'user',
      content: isFirst
        ? [
            { type: 'video_url', video_url: { url: clip } },
            { type: 'text', text },
          ]
        : text,
    };
    const isLast = index === turns.length - 1;
    return isLast
      ? [asked]
      : [asked, { role: /** @type {const} */ ('assistant'), content: answer }];
  });
}

/**
 * Return a question without its tag, as people read it.
 *
 * @param {string} question
 */
export function spoken(question) {
  return question.replace(TAG, '').trim();
}

/**
 * The first message as the original has it, two spaces included.
 *
 * @param {string} transcript
 * @param {string} question
 */
function opening(transcript, question) {
  const tagged = TAG.test(question) ? question.trim() : `[reason] ${question.trim()}`;
  return `The person in video says: ${transcript.trim()}.  ${tagged}`;
}
