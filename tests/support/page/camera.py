"""Watches the camera of the page, and takes it away: what a person's computer may do."""

from typing import Literal

from playwright.sync_api import BrowserContext, Page, expect

Missing = Literal["NotAllowedError", "NotFoundError", "NotReadableError"]

_WATCH = """
window.streams = [];
window.faults = {};
// The empty document before the page has none.
const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
const watched = async (constraints) => {
  const fault = Object.keys(faults).find((kind) => constraints[kind]);
  if (fault) {
    throw new DOMException('As the test wants it.', faults[fault]);
  }
  const stream = await ask(constraints);
  streams.push(stream);
  return stream;
};
if (ask) {
  navigator.mediaDevices.getUserMedia = watched;
}
"""


def watch_camera(context: BrowserContext) -> None:
    """Keep all streams that pages of a context open.

    Args:
        context: whose pages are opened afterwards.
    """
    context.add_init_script(_WATCH)


def wait_for_pictures(page: Page) -> None:
    """Wait until the camera has given pictures: a recording without any is no clip."""
    page.evaluate(
        """() => new Promise((resolve) => {
          const video = document.querySelector('video');
          const wait = (count) => video.requestVideoFrameCallback(
            () => count > 1 ? wait(count - 1) : resolve());
          wait(3);
        })"""
    )


def take_away(page: Page, **faults: Missing) -> None:
    """Have the page's questions for `video` or `audio` answered with the error of this name."""
    page.evaluate("(given) => Object.assign(faults, given)", faults)


def track_states(page: Page) -> set[str]:
    """Return the states of all tracks that were opened: `live` or `ended`."""
    return set(
        page.evaluate("streams.flatMap((one) => one.getTracks()).map((track) => track.readyState)")
    )


def agree(page: Page, button: str) -> None:
    """Agree that the camera starts, and start it."""
    page.get_by_label("Everyone in the picture has agreed.").check()
    page.get_by_role("button", name=button).click()


def set_hidden(page: Page, *, is_hidden: bool) -> None:
    """Tell the page that its tab is hidden, or seen again."""
    page.evaluate(
        """(isHidden) => {
          Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        is_hidden,
    )


def open_recording(page: Page) -> None:
    """Open the dialog, and wait for the camera's picture."""
    page.get_by_role("button", name="Record").click()
    agree(page, "Use camera and microphone")
    expect(page.locator("#record-start")).to_be_enabled()
