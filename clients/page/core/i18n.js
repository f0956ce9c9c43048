/** Languages: the table of words for each, and names as a reader knows them. */

import { en } from '../strings/en.js';
import { zh } from '../strings/zh.js';

/** @import { Language, Strings } from '../types.d.ts' */

/** @type {Record<Language, Strings>} */
const TABLES = { en, zh };

/**
 * @param {Language} language
 * @returns {Strings}
 */
export function stringsOf(language) {
  return TABLES[language];
}

/**
 * The value of `lang` for a language.
 *
 * @param {Language} language
 */
export function tagOf(language) {
  return language === 'zh' ? 'zh-CN' : 'en';
}
