/** Finds the duration of a clip that does not tell it, as recorded WebM files do not. */

/** Behind the end of every clip; browsers then look for the end. */
const BEYOND = 1e101;

/** Milliseconds until a browser that looks for the end is given up. */
const PATIENCE = 3000;

/**
 * Return the seconds that a clip lasts, whose metadata has been loaded; its position stays.
 *
 * @param {HTMLMediaElement} media
 * @param {number} [measured] - While it was recorded, for a browser that finds no end.
 */
export async function durationOf(media, measured = 0) {
  if (Number.isFinite(media.duration)) {
    return media.duration;
  }
  const { currentTime } = media;
  const found = finite(media);
  media.currentTime = BEYOND;
  await found;
  media.currentTime = currentTime;
  return Number.isFinite(media.duration) ? media.duration : measured;
}

/** @param {HTMLMediaElement} media */
function finite(media) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      media.removeEventListener('durationchange', look);
      resolve(undefined);
    };
    const look = () => Number.isFinite(media.duration) && end();
    const timer = setTimeout(end, PATIENCE);
    media.addEventListener('durationchange', look);
  });
}
