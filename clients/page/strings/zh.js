/** All words of the page in Chinese. */

import { analyse } from './zh/analyse.js';
import { core } from './zh/core.js';
import { help } from './zh/help.js';
import { result } from './zh/result.js';
import { settings } from './zh/settings.js';
import { timeline } from './zh/timeline.js';

/** @type {import('../types.d.ts').Strings} */
export const zh = {
  ...core,
  ...help,
  ...settings,
  ...result,
  ...analyse,
  ...timeline,
};
