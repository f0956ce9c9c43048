/** Measures of a chart: where strip, lanes and axis lie, in pixels. Pure. */

import { lanesOf } from '../layout.js';
import { scaleOf } from './scale.js';

/** @import { Span, TimelineArgs } from '../../types.d.ts' */
/** @import { Lane } from '../layout.js' */

/** All measures are in heights of a character, so that the chart grows with the text. */
const LEFT = 5.2;
const RIGHT = 3.4;
const STRIP = 1.8;
const LANE = 2;
const BETWEEN = 0.3;
const AXIS = 2.7;

/**
 * @typedef {object} Geometry
 * @property {Span} view the visible part, in seconds
 * @property {number} em pixels of a character's height
 * @property {number} width
 * @property {number} height
 * @property {number} left where the drawn part begins
 * @property {number} right where it ends
 * @property {number} strip the height of the strip
 * @property {number} lane the height of a lane
 * @property {number} axis where the axis begins
 * @property {Lane[]} lanes
 * @property {(time: number) => number} x
 * @property {(index: number) => number} top where a lane begins
 * @property {(height: number) => number} middle the baseline of a text in the middle of a height
 */

/**
 * @param {TimelineArgs} args
 * @param {Span} view
 * @param {number} width
 * @param {number} em
 * @returns {Geometry}
 */
export function geometryOf({ windows, labels }, view, width, em) {
  const lanes = lanesOf(windows, labels);
  const left = Math.min(LEFT * em, width * 0.3);
  const right = Math.max(width - Math.min(RIGHT * em, width * 0.2), left + 1);
  const scale = scaleOf(view, right - left);
  const strip = STRIP * em;
  const lane = LANE * em;
  const top = (/** @type {number} */ index) =>
    strip + (2 * BETWEEN + index * (LANE + BETWEEN)) * em;
  const axis = top(lanes.length);
  const x = (/** @type {number} */ time) => Math.round((left + scale(time)) * 100) / 100;
  const middle = (/** @type {number} */ height) => height / 2 + 0.3 * em;
  return {
    view,
    em,
    width,
    height: axis + AXIS * em,
    left,
    right,
    strip,
    lane,
    axis,
    lanes,
    x,
    top,
    middle,
  };
}
