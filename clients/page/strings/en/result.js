/** Words of the result: label, doubts, explanation and evidence. */

export const result = {
  result: 'Result',
  result_strong: (/** @type {{a: string, p: string}} */ { a, p }) =>
    `The model leans strongly to ${a} (${p}).`,
  result_lean: (/** @type {{a: string, p: string, b: string, q: string}} */ { a, p, b, q }) =>
    `The model leans to ${a} (${p}), then ${b} (${q}).`,
  result_unclear: (/** @type {{list: string}} */ { list }) => `No clear label: ${list}.`,
  result_own: 'In its own words:',
  share: (/** @type {{n: number}} */ { n }) => `Share among the ${n} labels offered.`,
  share_chance: (/** @type {{p: string}} */ { p }) => `The dotted line is chance, ${p}.`,
  share_more:
    'The share of the model’s own probability among the labels offered; not how likely the person feels it.',
  labels_more: (/** @type {{n: number}} */ { n }) =>
    n === 1 ? '1 more label' : `${n} more labels`,
  incomplete: 'Incomplete.',

  empty: 'Nothing analysed yet. Choose a clip, or try a sample.',
  empty_ready: 'Ready. Press Analyse.',
  step_label: 'Which.',
  step_label_more: 'Every label with its share, and how clear the first one is.',
  step_time: 'When.',
  step_time_more: 'A timeline under the clip that you can play, step through and export.',
  step_words: 'In words.',
  step_words_more: 'What the model writes about face, voice and what is said.',
  step_evidence: 'From what.',
  step_evidence_more: 'The very picture and the sound that the answer was read from.',
  step_private: 'Yours.',
  step_private_more: 'The clip goes to this server when you press Analyse, and nowhere else.',
  step_care: 'With care.',
  step_care_more: 'Faces and voices do not tell what someone feels. Decide about nobody by this.',

  wrote: 'What the model wrote',
  wrote_coming: 'being written',
  wrote_nothing: 'Nothing.',

  warnings: 'To bear in mind',
  warning_own_labels: 'These labels are yours. The model may never have been trained on them.',
  warning_mismatch: (/** @type {{w: string}} */ { w }) =>
    `In its own words the model said “${w}”, which is not its most probable label.`,
  warning_one: (/** @type {{time: string}} */ { time }) =>
    `Only the picture at ${time} was looked at.`,
  warning_one_each: (/** @type {{time: string}} */ { time }) =>
    `For the whole clip, only the picture at ${time} was looked at; one for each window.`,
  warning_no_picture:
    'This clip is sound alone. The model saw a black picture, which it was not trained with.',
  warning_no_sound: 'This clip has no sound. The voice was not judged.',
  warning_short_sound: 'There is less than half a second of sound. The voice says little.',
  warning_grey: 'A grey picture stood in for the camera. Only the voice counts.',

  evidence: 'Evidence',
  evidence_seen: 'Seen',
  evidence_frame: (/** @type {{n: number, time: string}} */ { n, time }) =>
    `frame ${n}, at ${time}`,
  evidence_no_picture: 'a black picture: the clip is sound alone',
  evidence_picture: 'the picture',
  evidence_heard: 'Heard',
  evidence_sound: (/** @type {{time: string}} */ { time }) => `${time} of sound`,
  evidence_words: 'Words heard',
  evidence_no_sound: 'no sound',
  evidence_video: 'Picture track',
  evidence_audio: 'Sound track',
  evidence_track: (/** @type {{n: number, m: number}} */ { n, m }) => `${n} of ${m}`,
  evidence_features: 'Features',
  evidence_no_features: 'none',
  evidence_took: 'Took',
  evidence_more: 'Model, request and prompt',
  evidence_model: 'Model',
  evidence_manifest: 'Manifest',
  evidence_id: 'Request',
  evidence_tokens: 'Tokens',
  evidence_counts: (/** @type {{a: number, b: number}} */ { a, b }) => `${a} read, ${b} written`,
  evidence_times: 'Of which',
  evidence_steps: (/** @type {{decode: string, first: string}} */ { decode, first }) =>
    `decoding ${decode}, first word after ${first}`,
  evidence_prompt: 'Prompt',
};
