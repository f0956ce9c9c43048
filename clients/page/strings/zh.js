/** All words of the page in Chinese. */

import { analyse } from './zh/analyse.js';
import { chat } from './zh/chat.js';
import { core } from './zh/core.js';
import { help } from './zh/help.js';
import { jobs } from './zh/jobs.js';
import { live } from './zh/live.js';
import { many } from './zh/many.js';
import { record } from './zh/record.js';
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
  ...record,
  ...live,
  ...many,
  ...jobs,
  ...chat,
};
