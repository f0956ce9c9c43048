/** Announcements: the one place whose changes a screen reader speaks. */

/**
 * Say something through the page's `role=status`.
 *
 * @param {string} text
 */
export function announce(text) {
  const place = document.getElementById('status');
  if (place) {
    place.textContent = text;
  }
}
