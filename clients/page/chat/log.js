/** The log of a chat: its end stays in sight while it grows. */

/** Pixels from the end within which a reader is taken to be there. */
const NEAR = 40;

/**
 * Follow the end of a log, unless its reader has scrolled back.
 *
 * @param {Element} [log]
 */
export function followEnd(log) {
  if (!log) {
    return;
  }
  let isAtEnd = true;
  const toEnd = () => {
    if (isAtEnd) {
      log.scrollTop = log.scrollHeight;
    }
  };
  log.addEventListener('scroll', () => {
    isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  });
  new MutationObserver(toEnd).observe(log, { childList: true, subtree: true, characterData: true });
  toEnd();
}
