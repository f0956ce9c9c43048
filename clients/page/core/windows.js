/** Windows of a timeline: which suit a clip, and how many the server makes of them. */

/** @import { Form, ServerState, State } from '../types.d.ts' */

/** Where the server does not tell how many it takes. */
const MOST = 4000;

/** Seconds at the end of a clip that get no window of their own; the server's rule. */
const UNCOVERED = 0.1;

/** @type {[upTo: number, window: number, step: number][]} */
const BY_LENGTH = [
  [10, 1, 0.5],
  [60, 2, 1],
  [600, 5, 2.5],
  [Number.POSITIVE_INFINITY, 10, 5],
];

/**
 * Window and step as the form has them, or what suits the clip's length.
 *
 * @param {Pick<Form, 'window' | 'step'>} form
 * @param {number | null} duration - Null where it is not known.
 */
export function windowsFor(form, duration) {
  const length = duration ?? 60;
  const [, window, step] = /** @type {[number, number, number]} */ (
    BY_LENGTH.find(([upTo]) => length <= upTo)
  );
  const chosen = form.window ?? window;
  return { window: chosen, step: form.step ?? (form.window === null ? step : chosen / 2) };
}

/**
 * How many windows the server makes.
 *
 * @param {number} duration
 * @param {number} window
 * @param {number} step
 */
export function expectedWindows(duration, window, step) {
  if (duration <= window) {
    return 1;
  }
  const whole = Math.floor((duration - window) / step + 1e-9 + 1);
  const end = step * (whole - 1) + window;
  return whole + (end < duration - UNCOVERED && step <= window ? 1 : 0);
}

/**
 * How many windows the server takes.
 *
 * @param {ServerState} server
 */
export function mostWindows({ model }) {
  return model?.limits?.timeline_windows ?? MOST;
}

/**
 * Whether the server would refuse the timeline for its number of windows.
 *
 * @param {Pick<State, 'form' | 'duration' | 'server'>} state
 */
export function hasTooManyWindows({ form, duration, server }) {
  const { window, step } = windowsFor(form, duration);
  const isMany = duration !== null && expectedWindows(duration, window, step) > mostWindows(server);
  return form.hasTimeline && isMany;
}
