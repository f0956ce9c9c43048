/** The state that the page begins with. */

import { routeOf } from './route.js';
import { loadSettings } from './settings.js';

/** @import { Form, State } from '../types.d.ts' */

/** @type {Form} */
export const EMPTY_FORM = {
  task: 'both',
  question: '',
  transcript: '',
  labels: null,
  frame: 'first',
  hasTimeline: true,
  window: null,
  step: null,
};

/** @returns {State} */
export function initialState() {
  return {
    route: routeOf(location.hash),
    settings: loadSettings(),
    server: { kind: 'unknown', model: null },
    clip: null,
    duration: null,
    form: EMPTY_FORM,
    run: { kind: 'idle' },
    timeline: { isTable: false },
    chat: { isOpen: false },
    live: { kind: 'off' },
    many: { rows: [] },
  };
}
