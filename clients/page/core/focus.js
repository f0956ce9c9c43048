/** Focus and sight: what the next render shows is brought to the user. */

/**
 * Focus the first element that matches, once the page shows it; what it is folded into opens.
 *
 * @param {...string} selectors - The first that the page has.
 */
export function focusSoon(...selectors) {
  afterRender(() => {
    const found = selectors.map((selector) => document.querySelector(selector));
    const element = found.find((one) => one instanceof HTMLElement);
    element?.closest('details')?.setAttribute('open', '');
    element?.focus();
  });
}

/**
 * Scroll as little as shows an element, once the page has it; the focus stays where it is.
 *
 * @param {string} selector
 */
export function showSoon(selector) {
  afterRender(() => document.querySelector(selector)?.scrollIntoView({ block: 'nearest' }));
}

/** @param {() => void} work */
function afterRender(work) {
  requestAnimationFrame(() => requestAnimationFrame(work));
}
