/** Keeps what shows the position in step with the player, without rendering the page. */

import { player } from '../media/player.js';
import { ref } from '../vendor/lit-html/directives/ref.js';

/** @typedef {(root: Element) => void} Paint */

/** @type {WeakMap<Element, {paint: Paint}>} */
const followers = new WeakMap();

/**
 * Return the `ref` of an element that is painted anew when the position or the view has changed.
 *
 * @param {Paint} paint
 */
export function following(paint) {
  return ref((element) => element && follow(element, paint));
}

/**
 * Replace a text; a new text node would have the browser match its styles anew.
 *
 * @param {Element | null | undefined} element
 * @param {string} text
 */
export function write(element, text) {
  if (element?.firstChild instanceof Text) {
    element.firstChild.data = text;
  } else if (element) {
    element.textContent = text;
  }
}

/**
 * @param {Element} root
 * @param {Paint} paint
 */
function follow(root, paint) {
  const known = followers.get(root);
  const follower = known ?? { paint };
  follower.paint = paint;
  const repaint = () => follower.paint(root);
  queueMicrotask(repaint); // its children are rendered after it
  if (!known) {
    followers.set(root, follower);
    const end = player.subscribe(() => {
      if (root.isConnected) {
        repaint();
      } else {
        followers.delete(root);
        end();
      }
    });
  }
}
