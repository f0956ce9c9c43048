/** Words of the help. */

export const help = {
  help_means: 'What this means',
  help_made: 'What the model was made from',
  help_made_unknown: 'The server has not told yet.',
  help_reads: 'What it reads',
  help_reads_1:
    'One picture of the clip, and up to two minutes of sound; for a timeline, one picture and the sound of each window. What happens between the pictures is not seen.',
  help_reads_2:
    'Shares are the model’s own probabilities among the labels offered. They say how the model divides its choice, not how likely a person feels something.',
  help_faces: 'What faces and voices do not tell',
  help_faces_1:
    'A face or a voice does not show what someone feels. People smile when sad and frown when concentrating; the same movement means different things in different situations and cultures (Barrett and others, 2019).',
  help_faces_2:
    'Never decide about a person by these answers: not about work, school, credit, health or guilt.',
  help_law: 'What the law says, in short',
  help_law_1:
    'European Union: the AI Act forbids inferring the emotions of staff, applicants and pupils, save for medical or safety reasons (Art. 5(1)(f)). By the Commission’s examples, a call centre that tracks its agents falls under the ban; tracking callers does not.',
  help_law_2:
    'Where emotion recognition is allowed, the people concerned must be told (Art. 50(3)).',
  help_law_3:
    'China: the PIPL treats face data as sensitive; it takes a separate consent and a necessary purpose.',
  help_law_4: 'This is no legal advice.',
  help_data: 'Where your clips go',
  help_data_1:
    'To this server, when you press Analyse, and nowhere else. Nothing of them stays on its disk; a decoded copy may stay in memory for further questions.',
  help_data_2:
    'This browser keeps settings, the colours of labels and, if you choose so, the API key: no clip, no picture, no answer.',
  help_keys: 'Keys',
  help_keys_send: 'Analyse; send a question in the chat',
  help_keys_cancel: 'cancel what runs; else close',
  help_keys_help: 'this help',
  help_keys_move: 'a window, back and forth; with Shift 0.1 s',
  help_keys_far: 'ten windows; to the ends',
  help_keys_play: 'play and pause',
  help_keys_change: 'the last and the next change of label',
  help_keys_frame: 'to the picture that was looked at',
  help_keys_loop: 'repeat this window',
  help_keys_speed: 'slower and faster',
  help_keys_zoom: 'closer and farther; Ctrl and the wheel too',
  help_keys_where:
    'The keys from the arrows on work while the player or the timeline has the focus.',
  help_key: 'Key',
  help_does: 'Does',
  help_more: 'For programs',
  help_api: 'The API of this server',
};
