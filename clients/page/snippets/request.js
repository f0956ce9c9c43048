/** Makes of a run what its snippets repeat: where, about which clip, and what is asked. */

/** @typedef {import('../types.d.ts').Asked} Asked */

/**
 * What a snippet is written from.
 *
 * @typedef {object} Request
 * @property {string} url of the route
 * @property {string} file the name of the clip to upload; empty for one that the server has
 * @property {string} sample the address from which a sample can be had; else empty
 * @property {Record<string, unknown>} fields the request's, under the names of the wire
 * @property {boolean} needsKey whether the server asks for one
 */

/**
 * @param {Asked} asked
 * @param {string} base the page's address, which is the server's
 * @param {boolean} needsKey
 * @returns {Request}
 */
export function requestOf({ clip, options }, base, needsKey) {
  const isFile = clip.kind === 'file';
  const fields = Object.fromEntries(Object.entries(options).filter(isSent).map(onTheWire));
  return {
    url: new URL('v1/emotion', base).href,
    file: isFile ? clip.name : '',
    sample: isFile && clip.sample ? new URL(`page/samples/${clip.name}`, base).href : '',
    fields: isFile ? fields : { video: clip.name, ...fields },
    needsKey,
  };
}

/** @param {[string, unknown]} option */
function isSent([name, value]) {
  return value !== undefined && value !== null && name !== 'signal';
}

/**
 * @param {[string, unknown]} option
 * @returns {[string, unknown]}
 */
function onTheWire([name, value]) {
  return [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value];
}
