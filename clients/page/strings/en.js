/** All words of the page in English. */

import { analyse } from './en/analyse.js';
import { core } from './en/core.js';
import { help } from './en/help.js';
import { result } from './en/result.js';
import { settings } from './en/settings.js';
import { timeline } from './en/timeline.js';

export const en = {
  ...core,
  ...help,
  ...settings,
  ...result,
  ...analyse,
  ...timeline,
};
