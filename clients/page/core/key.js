/** The API key: in memory and for the tab, on the device only if that is chosen. */

const NAME = 'emotion-llama.key';

/** @type {BroadcastChannel | undefined} What all tabs of the page hear. */
let tabs;

/** @type {string | null} */
let key = null;

/** The key that requests carry, or undefined. */
export function currentKey() {
  key ??= stored(() => sessionStorage) ?? stored(() => localStorage) ?? '';
  return key || undefined;
}

/** Whether it outlives the tab. */
export function isKeyKept() {
  return stored(() => localStorage) !== null;
}

/**
 * @param {string} given
 * @param {boolean} isKept
 */
export function useKey(given, isKept) {
  key = given.trim();
  write(() => sessionStorage, key);
  write(() => localStorage, isKept ? key : null);
}

/** Forget it here and in all other tabs. */
export function forgetKey() {
  clear();
  tabs?.postMessage('forget');
}

/**
 * Hear of another tab's forgetting.
 *
 * @param {() => void} then
 */
export function whenForgotten(then) {
  tabs = new BroadcastChannel(NAME);
  tabs.addEventListener('message', () => {
    clear();
    then();
  });
}

function clear() {
  useKey('', false);
  write(() => sessionStorage, null);
}

/** @param {() => Storage} storage - A browser that keeps nothing throws at the mention. */
function stored(storage) {
  try {
    return storage().getItem(NAME);
  } catch {
    return null;
  }
}

/**
 * @param {() => Storage} storage
 * @param {string | null} value
 */
function write(storage, value) {
  try {
    if (value === null) {
      storage().removeItem(NAME);
    } else {
      storage().setItem(NAME, value);
    }
  } catch {
    // It stays in memory.
  }
}
