/** What can be done with a timeline: seek, loop, look closer, see it as a table. */

import { player, RATES } from '../media/player.js';
import { cellsFor, viewOf } from './model.js';
import { change, nearest, stepped, zoomed } from './moves.js';

/** @import { App, TimelineArgs, TimelineState } from '../types.d.ts' */

/**
 * @param {App} app
 * @param {Partial<TimelineState>} patch
 */
export function setTimeline(app, patch) {
  app.store.set({ timeline: { ...app.store.get().timeline, ...patch } });
}

/**
 * Go on or back by so many windows.
 *
 * @param {TimelineArgs} args
 * @param {number} count
 */
export function step(args, count) {
  player.seek(stepped(cellsFor(args), player.time, count));
}

/**
 * Go to where another label begins to lead.
 *
 * @param {TimelineArgs} args
 * @param {1 | -1} direction
 */
export function seekChange(args, direction) {
  const time = change(cellsFor(args), player.time, direction);
  if (time !== null) {
    player.seek(time);
  }
}

/**
 * Play the window at the position again and again, or no longer.
 *
 * @param {App} app
 * @param {TimelineArgs} args
 */
export function toggleLoop(app, args) {
  const cells = cellsFor(args);
  const window = cells[nearest(cells, player.time)]?.window;
  const loop = player.loop || !window ? null : { from: window.start, to: window.end };
  player.loop = loop;
  setTimeline(app, { loop });
  if (loop) {
    player.seek(loop.from);
    player.play();
  }
}

/**
 * Look closer, or at more.
 *
 * @param {App} app
 * @param {TimelineArgs} args
 * @param {number} factor below 1 to look closer
 * @param {number} [time] which keeps its place; by default that of the player
 */
export function zoom(app, args, factor, time = player.time) {
  setTimeline(app, { view: zoomed(viewOf(args, app.store.get()), factor, time, args.duration) });
}

/**
 * Play faster or slower.
 *
 * @param {1 | -1} direction
 */
export function changeRate(direction) {
  const faster = RATES.find((rate) => rate > player.rate);
  const slower = RATES.findLast((rate) => rate < player.rate);
  player.rate = (direction > 0 ? faster : slower) ?? player.rate;
}
