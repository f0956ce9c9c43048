/** Labels: as the model names them, with a translation of the well-known ones beside. */

/** @import { Strings } from '../types.d.ts' */

/** @type {Record<string, string>} */
const CHINESE = {
  neutral: '中性',
  angry: '愤怒',
  happy: '高兴',
  sad: '悲伤',
  worried: '担忧',
  surprise: '惊讶',
  fear: '恐惧',
  disgust: '厌恶',
  contempt: '轻蔑',
  doubt: '疑惑',
};

/** @type {Record<string, string>} */
const ENGLISH = Object.fromEntries(Object.entries(CHINESE).map(([word, sign]) => [sign, word]));

/**
 * The well-known English word that a label means, or the label itself, in small letters.
 *
 * @param {string} label
 */
export function meaningOf(label) {
  const name = label.trim().toLowerCase();
  return ENGLISH[name] ?? name;
}

/**
 * The translation of a label into the page's language; undefined where there is none.
 *
 * @param {Strings} t
 * @param {string} label
 */
export function translationOf(t, label) {
  const table = t.tag === 'zh-CN' ? CHINESE : ENGLISH;
  return Object.hasOwn(table, label) ? table[label] : undefined;
}

/**
 * A label with its translation, as it stands in a sentence.
 *
 * @param {Strings} t
 * @param {string} label
 */
export function labelText(t, label) {
  const translation = translationOf(t, label);
  return translation ? t.label_translated({ label, translation }) : label;
}

/**
 * The label as the page names it in narrow places.
 *
 * @param {Strings} t
 * @param {string} label
 */
export function shortLabel(t, label) {
  return translationOf(t, label) ?? label;
}
