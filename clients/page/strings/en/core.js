/** Words of the header, the start and the result. */

export const core = {
  tag: 'en',
  list_comma: ', ',
  number_over: 'over 99 %',
  number_under: 'under 1 %',
  number_percent: (/** @type {{whole: number}} */ { whole }) => `${whole} %`,
  time_seconds: (/** @type {{s: string}} */ { s }) => `${s} s`,
  label_translated: (/** @type {{label: string, translation: string}} */ { label, translation }) =>
    `${label} (${translation})`,
  result_strong: (/** @type {{a: string, p: string}} */ { a, p }) =>
    `The model leans strongly to ${a} (${p}).`,
  result_lean: (/** @type {{a: string, p: string, b: string, q: string}} */ { a, p, b, q }) =>
    `The model leans to ${a} (${p}), then ${b} (${q}).`,
  result_unclear: (/** @type {{list: string}} */ { list }) => `No clear label: ${list}.`,

  nav_analyse: 'Analyse',
  nav_live: 'Live',
  nav_many: 'Many clips',
  nav_settings: 'Settings',
  nav_help: 'Help',
};
