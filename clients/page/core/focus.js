/** Focus: moves it to what the next render shows. */

/**
 * Focus the first element that matches, once the page shows it; what it is folded into opens.
 *
 * @param {...string} selectors - The first that the page has.
 */
export function focusSoon(...selectors) {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const found = selectors.map((selector) => document.querySelector(selector));
      const element = found.find((one) => one instanceof HTMLElement);
      element?.closest('details')?.setAttribute('open', '');
      element?.focus();
    }),
  );
}
