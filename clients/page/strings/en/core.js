/** Words of the header, of numbers and of the server's state. */

export const core = {
  tag: 'en',
  list_comma: ', ',
  number_over: 'over 99 %',
  number_under: 'under 1 %',
  number_percent: (/** @type {{whole: number}} */ { whole }) => `${whole} %`,
  time_seconds: (/** @type {{s: string}} */ { s }) => `${s} s`,
  label_translated: (/** @type {{label: string, translation: string}} */ { label, translation }) =>
    `${label} (${translation})`,

  nav_analyse: 'Analyse',
  nav_live: 'Live',
  nav_many: 'Many clips',
  nav_settings: 'Settings',
  nav_help: 'Help',
  shell_skip: 'Skip to the content',
  shell_nav: 'Views',
  shell_privacy:
    'Clips go to this server and nowhere else. This page loads nothing from other sites and keeps no clip and no answer.',
  theme: 'Theme',
  theme_system: 'Theme: system',
  theme_light: 'Theme: light',
  theme_dark: 'Theme: dark',
  notice_name: 'What this model is',
  notice_more: 'What this means',

  server_unknown: 'Connecting …',
  server_loading: 'Not ready yet',
  server_unreachable: 'No connection',
  server_key_missing: 'Asks for a key',
  server_key_wrong: 'Wrong key',
  server_loading_more: 'The server is not ready yet. It is asked again every few seconds.',
  key: 'API key',
  key_keep: 'Keep on this device',
  key_use: 'Use this key',

  cancel: 'Cancel',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied.',
  try_again: 'Try again',

  failure_offline: 'The server cannot be reached. Is it running?',
  failure_lost_upload:
    'The connection broke while sending. The clip may be too large, or the server busy.',
  failure_busy: 'The server is busy. Try again in a while.',
  failure_rate: 'Too many requests. Try again in a while.',
  failure_too_large: (/** @type {{a: string, b: string}} */ { a, b }) =>
    `${a} MB is more than this server takes (${b} MB).`,
  failure_key_missing: 'This server asks for an API key.',
  failure_key_wrong: 'The server does not know this key.',
  failure_broke_off: 'The answer broke off. It is incomplete.',
  failure_server: (/** @type {{id: string}} */ { id }) => `The server failed. Request ${id}.`,
  failure_server_unnamed: 'The server failed.',
  failure_timeout: 'The server did not answer in time.',
  failure_sample: 'The server has no such sample.',
  failure_not_a_clip: 'This is a file of features, not a clip. Choose a video or a picture.',
};
