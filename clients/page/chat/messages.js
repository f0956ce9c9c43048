/** The messages of a conversation about one clip, in the form that the model was tuned to. */

/** @import { ChatMessage } from '../vendor/emotion-llama-sdk/index.js' */
/** @import { Turn } from './types.d.ts' */

/** What the model is to do, in brackets in front of a question. */
const TAG = /^\s*\[[a-z]+\]/;

/**
 * Put a conversation together; the transcript stands in its first message.
 *
 * @param {string} transcript
 * @param {readonly Turn[]} turns - The last one is to be answered.
 * @returns {ChatMessage[]}
 */
export function messagesOf(transcript, turns) {
  const messages = turns.flatMap(({ question, answer }, index) => [
    message('user', index === 0 ? opening(transcript, question) : question),
    message('assistant', answer),
  ]);
  return messages.slice(0, -1);
}

/**
 * @param {ChatMessage['role']} role
 * @param {string} content
 * @returns {ChatMessage}
 */
function message(role, content) {
  return { role, content };
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
