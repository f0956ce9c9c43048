/** Settings: what this browser remembers of the page. */

/** @import { App, Language, Settings } from '../types.d.ts' */

const NAME = 'emotion-llama.settings';

/** @returns {Settings} */
function defaults() {
  return {
    language: preferredLanguage(navigator.languages),
    theme: 'system',
    answerLanguage: 'page',
    temperature: 0,
    maxTokens: 256,
    seed: null,
    clipsAtOnce: 4,
    singleKeys: true,
  };
}

/**
 * @param {readonly string[]} languages
 * @returns {Language}
 */
export function preferredLanguage(languages) {
  return languages[0]?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

/** @returns {Settings} */
export function loadSettings() {
  return { ...defaults(), ...read() };
}

/**
 * @param {App} app
 * @param {Partial<Settings>} patch
 */
export function changeSettings(app, patch) {
  const settings = { ...app.store.get().settings, ...patch };
  app.store.set({ settings });
  try {
    localStorage.setItem(NAME, JSON.stringify(settings));
  } catch {
    // The browser keeps nothing: the settings last as long as the page.
  }
}

/**
 * Forget them: what holds then is what a first visit brings.
 *
 * @param {App} app
 */
export function deleteSettings(app) {
  try {
    localStorage.removeItem(NAME);
  } catch {
    // There was nothing.
  }
  app.store.set({ settings: defaults() });
}

/** @returns {Partial<Settings>} */
function read() {
  try {
    return JSON.parse(localStorage.getItem(NAME) ?? '{}');
  } catch {
    return {};
  }
}

/**
 * In which language the model is asked.
 *
 * @param {Settings} settings
 * @returns {Language}
 */
export function answerLanguage({ answerLanguage, language }) {
  return answerLanguage === 'page' ? language : answerLanguage;
}
