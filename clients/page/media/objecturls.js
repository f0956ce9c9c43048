/** Object URLs: one for each file, alive for as long as somebody holds it. */

/** @type {Map<string, number>} */
const holders = new Map();

/**
 * @param {Blob} blob
 * @returns {string} To be let go with `release` by whoever made or held it.
 */
export function makeUrl(blob) {
  const url = URL.createObjectURL(blob);
  holders.set(url, 1);
  return url;
}

/** @param {string} url */
export function hold(url) {
  holders.set(url, (holders.get(url) ?? 0) + 1);
}

/**
 * Let a URL go; it is revoked when nobody holds it any more.
 *
 * @param {string} url
 */
export function release(url) {
  const left = (holders.get(url) ?? 0) - 1;
  if (left > 0) {
    holders.set(url, left);
  } else if (holders.delete(url)) {
    URL.revokeObjectURL(url);
  }
}
