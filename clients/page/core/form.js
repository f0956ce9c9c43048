/** The form of the analyse view. */

/** @import { App, Form } from '../types.d.ts' */

/**
 * Change some fields of the form.
 *
 * A text that is read when its field is left is bound without `live`, which would replace what is
 * being typed whenever the page is drawn.
 *
 * @param {App} app
 * @param {Partial<Form>} patch
 */
export function changeForm(app, patch) {
  app.store.set({ form: { ...app.store.get().form, ...patch } });
}

/**
 * The labels that a text lists, between commas or in lines, each once.
 *
 * @param {string} text
 * @returns {string[] | null} Null, for the model's own, if there are none.
 */
export function labelsOf(text) {
  const labels = text.split(/[,，、;；\n]/).map((label) => label.trim());
  const found = [...new Set(labels.filter(Boolean))];
  return found.length > 0 ? found : null;
}
