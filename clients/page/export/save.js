/** Saves what the page has made as files. */

/** How long a browser may take to begin a download, in milliseconds. */
const PATIENCE = 60_000;

/**
 * Have the browser save a file.
 *
 * @param {Blob} content
 * @param {string} name
 */
export function save(content, name) {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), PATIENCE);
}

/**
 * Return a clip's name with another ending: `clip.emotion.vtt` of `folder/clip.mp4`.
 *
 * @param {string} clip its path, URL or file name
 * @param {string} ending
 * @param {boolean} isComplete
 */
export function fileName(clip, ending, isComplete) {
  const path = /^https?:/.test(clip) ? new URL(clip).pathname : clip;
  const last = path.split(/[\\/]/).at(-1) ?? '';
  const stem = last.replace(/\.[^.]*$/, '') || 'clip';
  return `${stem}.emotion${isComplete ? '' : '.incomplete'}.${ending}`;
}
