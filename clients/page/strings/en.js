/** All words of the page in English. */

import { analyse } from './en/analyse.js';
import { chat } from './en/chat.js';
import { core } from './en/core.js';
import { help } from './en/help.js';
import { jobs } from './en/jobs.js';
import { live } from './en/live.js';
import { many } from './en/many.js';
import { record } from './en/record.js';
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
  ...record,
  ...live,
  ...many,
  ...jobs,
  ...chat,
};
