/** Measures the place that a chart has, and the height of its characters. */

import { setTimeline } from './actions.js';

/** @import { App } from '../types.d.ts' */

/** @type {((element: Element | undefined) => void) | undefined} */
let measure;

/**
 * Return the `ref` of the element that a chart fills, the same one at each call.
 *
 * @param {App} app
 */
export function sizeRef(app) {
  measure ??= measuring(new ResizeObserver(([entry]) => entry && keepSize(app, entry)));
  return measure;
}

/**
 * @param {ResizeObserver} observer
 * @returns {(element: Element | undefined) => void}
 */
function measuring(observer) {
  return (element) => {
    observer.disconnect();
    if (element) {
      observer.observe(element);
    }
  };
}

/**
 * @param {App} app
 * @param {ResizeObserverEntry} entry
 */
function keepSize(app, { target, contentRect }) {
  const width = Math.floor(contentRect.width);
  const em = Number.parseFloat(getComputedStyle(target).fontSize);
  const { timeline } = app.store.get();
  if (width > 0 && (timeline.width !== width || timeline.em !== em)) {
    setTimeline(app, { width, em });
  }
}
