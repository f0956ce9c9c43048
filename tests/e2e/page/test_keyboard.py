"""The way from a sample to a saved file, with the keyboard alone."""

from playwright.sync_api import Page, expect

from tests.support.waiting import until

FOCUS = """
() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { width, height, top, bottom } = element.getBoundingClientRect();
  const outlined = element.closest('.tl-chart')?.querySelector('.tl-over') ?? element;
  const isOutlined = getComputedStyle(outlined).outlineStyle !== 'none';
  const isOnScreen = bottom > 0 && top < innerHeight && width > 0 && height > 0;
  const name = element.ariaLabel ?? element.textContent.trim();
  return { name, isVisible: isOutlined && isOnScreen };
}
"""


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Go on until an element has the focus, which is seen at every stop."""
    for _ in range(60):
        page.keyboard.press(key)
        focus = page.evaluate(FOCUS)
        assert focus, f"The focus was lost on the way to {name}."
        assert focus["isVisible"], f"The focus is not seen on {focus['name']}."
        if focus["name"].startswith(name):
            return
    raise AssertionError(f"{name} is not reached.")


def test_from_a_sample_to_a_saved_table(page: Page) -> None:
    expect(page.get_by_role("button", name="Happy face")).to_be_visible()
    tab_to(page, "Happy face")
    page.keyboard.press("Enter")
    until(lambda: (page.evaluate(FOCUS) or {}).get("name", "").startswith("Analyse"), seconds=5)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=60_000)
    tab_to(page, "Chart")
    tab_to(page, "Position in the clip")
    before = page.evaluate("document.activeElement.ariaValueText")
    page.keyboard.press("ArrowRight")
    until(lambda: page.evaluate("document.activeElement.ariaValueText") != before, seconds=5)
    tab_to(page, "Table", key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Label")).to_be_visible()
    tab_to(page, "CSV", key="Shift+Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "happy_face.emotion.csv"
    assert page.evaluate(FOCUS)["name"] == "CSV"
