/** The keys of the timeline and of the player. */

import { player } from '../media/player.js';
import { changeRate, seekChange, step, toggleLoop, zoom } from './actions.js';

/** @import { App, TimelineArgs } from '../types.d.ts' */

/** Seconds of a small step. */
const SMALL = 0.1;

/** Windows of a large step. */
const PAGE = 10;

/** @typedef {(app: App, args: TimelineArgs) => void} Action */

/** @type {Record<string, Action>} Keys that move along the clip. */
const MOVES = {
  ArrowLeft: (_, args) => step(args, -1),
  ArrowRight: (_, args) => step(args, 1),
  PageUp: (_, args) => step(args, -PAGE),
  PageDown: (_, args) => step(args, PAGE),
  Home: () => player.seek(0),
  End: (_, { duration }) => player.seek(duration),
  'Shift+ArrowLeft': () => player.seek(player.time - SMALL),
  'Shift+ArrowRight': (_, { duration }) => player.seek(Math.min(player.time + SMALL, duration)),
};

/** @type {Record<string, Action>} Single keys, which can be switched off. */
const SINGLE = {
  ' ': () => player.toggle(),
  '[': (_, args) => seekChange(args, -1),
  ']': (_, args) => seekChange(args, 1),
  f: (_, { frameTime }) => frameTime != null && player.showFrame(frameTime),
  l: toggleLoop,
  ',': () => changeRate(-1),
  '.': () => changeRate(1),
  '+': (app, args) => zoom(app, args, 0.5),
  '-': (app, args) => zoom(app, args, 2),
};

/**
 * Do what a key means; other keys go on as usual.
 *
 * @param {KeyboardEvent} event
 * @param {App} app
 * @param {TimelineArgs} args
 */
export function onKey(event, app, args) {
  const action = actionOf(event, app.store.get().settings.singleKeys);
  if (action) {
    event.preventDefault();
    action(app, args);
  }
}

/**
 * @param {KeyboardEvent} event
 * @param {boolean} hasSingleKeys
 */
function actionOf({ key, shiftKey, ctrlKey, altKey, metaKey, target }, hasSingleKeys) {
  if (ctrlKey || altKey || metaKey || isTyping(target)) {
    return undefined;
  }
  if (isButton(target) && key === ' ') {
    return undefined; // it presses the button
  }
  const isArrow = key.startsWith('Arrow');
  const move = MOVES[shiftKey && isArrow ? `Shift+${key}` : key];
  return move ?? (hasSingleKeys ? SINGLE[key.toLowerCase()] : undefined);
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return (
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && target.type !== 'range')
  );
}

/** @param {EventTarget | null} target */
function isButton(target) {
  return (
    target instanceof HTMLButtonElement ||
    (target instanceof HTMLElement && target.tagName === 'SUMMARY')
  );
}
