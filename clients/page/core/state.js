/** The state that the page begins with. */

import { NO_CHAT } from '../chat/state.js';
import { NO_JOBS } from '../jobs/state.js';
import { LIVE_OFF } from '../live/state.js';
import { NO_CLIPS } from '../many/state.js';
import { NO_DEVICES, RECORD_CLOSED } from '../record/state.js';
import { routeOf } from './route.js';
import { loadSettings } from './settings.js';

/** @import { Form, State } from '../types.d.ts' */

/** @type {Form} */
export const EMPTY_FORM = {
  task: 'both',
  question: null,
  transcript: '',
  isHeard: false,
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
    problem: null,
    duration: null,
    form: EMPTY_FORM,
    run: { kind: 'idle' },
    player: { isPlaying: false, rate: 1, isMuted: false, hasFailed: false },
    timeline: { isTable: false, width: 0, em: 16, view: null, loop: null },
    chat: NO_CHAT,
    record: RECORD_CLOSED,
    devices: NO_DEVICES,
    live: LIVE_OFF,
    many: NO_CLIPS,
    jobs: NO_JOBS,
  };
}
