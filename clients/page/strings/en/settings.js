/** Words of the settings. */

export const settings = {
  settings_lead: 'They stay on this device. Clips and answers do not.',
  settings_key: 'API key',
  settings_key_hint:
    'For servers that ask for one. It is kept for this tab unless you say otherwise.',
  settings_key_has: 'A key is in use.',
  settings_key_show: 'Show',
  settings_key_forget: 'Forget the key',
  settings_key_forgotten: 'The key is forgotten, in all tabs.',
  settings_key_tab: 'For this tab',
  settings_page: 'The page',
  settings_language: 'Language',
  settings_keys: 'Single keys work as shortcuts',
  settings_model: 'Asking the model',
  settings_temperature: 'Temperature',
  settings_temperature_hint: '0 always takes the most probable word; the answer can be repeated.',
  settings_tokens: 'Most tokens of an explanation',
  settings_seed: 'Seed',
  settings_seed_hint: 'Empty: a new one each time. It counts for temperatures above 0.',
  settings_at_once: 'Clips of a batch at once',
  settings_device: 'On this device',
  settings_reset_colours: 'Reset the colours of labels',
  settings_reset_colours_done: 'The colours are given out anew.',
  settings_delete: 'Delete everything kept here',
  settings_delete_done: 'Deleted: settings, colours and key.',
  settings_saved: 'Saved.',
};
