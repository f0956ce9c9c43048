/** The samples: clips of the demonstration that come with the page. */

/** @typedef {'happy_face' | 'sad_face' | 'surprise_face' | 'angry_voice' | 'worried_voice' | 'sad_words' | 'happy_mixed' | 'neutral_mixed'} SampleName */

/** @type {{name: SampleName, transcript: string}[]} Each with the words that are said in it. */
export const SAMPLES = [
  { name: 'happy_face', transcript: '' },
  { name: 'sad_face', transcript: '' },
  { name: 'surprise_face', transcript: 'The school play is listed on page two' },
  { name: 'happy_mixed', transcript: 'I am so glad about the plan' },
  { name: 'angry_voice', transcript: '' },
  { name: 'worried_voice', transcript: '' },
  { name: 'sad_words', transcript: 'We said goodbye after the photo' },
  { name: 'neutral_mixed', transcript: '' },
];
