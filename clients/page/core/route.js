/** Routes: the part of the address behind `#/` picks the view. */

/** @import { App, Route } from '../types.d.ts' */

/** @type {Record<string, Route>} */
const ROUTES = {
  '#/': 'analyse',
  '#/live': 'live',
  '#/many': 'many',
  '#/jobs': 'jobs',
  '#/settings': 'settings',
  '#/help': 'help',
};

/**
 * The route that an address's hash means; what means none is the first view.
 *
 * @param {string} hash
 * @returns {Route}
 */
export function routeOf(hash) {
  return ROUTES[hash] ?? 'analyse';
}

/**
 * @param {Route} route
 * @returns {string}
 */
export function hashOf(route) {
  return route === 'analyse' ? '#/' : `#/${route}`;
}

/**
 * Follow the address; a change moves the focus to the heading of the new view.
 *
 * @param {App} app
 */
export function installRoutes(app) {
  window.addEventListener('hashchange', () => {
    const route = routeOf(location.hash);
    if (route !== app.store.get().route) {
      app.store.set({ route });
      window.scrollTo({ top: 0, behavior: 'instant' });
      requestAnimationFrame(() => requestAnimationFrame(focusHeading));
    }
  });
}

function focusHeading() {
  const heading = document.querySelector('main h1');
  if (heading instanceof HTMLElement) {
    heading.focus({ preventScroll: true });
  }
}
