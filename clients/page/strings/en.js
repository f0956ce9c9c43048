/** All words of the page in English. */

import { core } from './en/core.js';

export const en = {
  ...core,
};
