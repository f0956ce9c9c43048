/** Words of the chat about a clip. */

export const chat = {
  chat_title: 'Chat about this clip',
  chat_too_large: (/** @type {{size: string, most: string}} */ { size, most }) =>
    `A chat sends the clip with every question, so it takes up to ${most} MB. This one has ${size} MB.`,
  chat_sends: 'The clip goes along with every question.',
  chat_log: 'Questions and answers',
  chat_you: 'You',
  chat_model: 'Model',
  chat_waiting: 'The model is reading the clip …',
  chat_question: 'Question',
  chat_placeholder: 'Ask about the face, the voice or the words',
  chat_send: 'Send',
  chat_stop: 'Stop',
  chat_new: 'New chat',
  chat_suggestions: 'Suggestions',
  chat_stopped: 'Stopped.',
  chat_cut: 'Cut at the limit of tokens (see Settings).',
  chat_too_long: 'This conversation is longer than the model can read.',
  chat_asked: 'Question sent.',
  chat_answered: 'The model has answered.',
  chat_why: 'Which emotion does this reflect, and why?',
  chat_face: "Describe the person's facial expression in the video.",
  chat_voice: "Analyze the speaker's voice in the video.",
};
