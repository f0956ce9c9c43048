/** All words of the page in Chinese. */

import { core } from './zh/core.js';

/** @type {import('../types.d.ts').Strings} */
export const zh = {
  ...core,
};
