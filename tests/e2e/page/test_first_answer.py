"""The first answer: from a sample, a file or a path to what the server says of it."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from devtools.server import Server
from emotion_llama import EmotionLLaMA
from emotion_llama.schema import EmotionResponse
from emotion_llama_vllm import demo_files
from tests.support.page.answers import analyse_sample

SAMPLE = demo_files.clips() / "happy_face.mp4"


@pytest.fixture(scope="module")
def expected(server: Server) -> EmotionResponse:
    """What the server says of the sample."""
    return EmotionLLaMA(server.url).analyze(video=SAMPLE.read_bytes(), task="both")


def shown(page: Page) -> dict[str, str]:
    """Return the labels of the bars and their shares."""
    texts = page.locator(".bar").all_inner_texts()
    return {text.split("\n")[0].strip(): text.split("\n")[-1].strip() for text in texts}


def percent(share: float) -> str:
    whole = round(share * 100)
    return "over 99 %" if whole == 100 else "under 1 %" if whole == 0 else f"{whole} %"


def answers(page: Page, expected: EmotionResponse) -> None:
    """See that the page shows an answer."""
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=60_000)
    shares = {label: percent(share) for label, share in expected.probabilities.items()}
    assert shown(page) == shares
    expect(page.locator(".explanation")).to_have_text(expected.explanation or "")


def test_a_sample_is_answered_after_two_clicks(page: Page, expected: EmotionResponse) -> None:
    analyse_sample(page)
    answers(page, expected)
    share = percent(expected.confidence)
    headline = page.get_by_role("heading", level=2, name=f"to {expected.emotion} ({share})")
    expect(headline).to_be_visible()
    expect(page.locator(".answer-notice")).to_have_text(expected.notice)
    evidence = page.get_by_role("region", name="Evidence")
    expect(evidence).to_contain_text(f"frame {expected.evidence.frame_index}, at 0 s")
    expect(evidence).to_contain_text(f"{round(expected.evidence.audio_seconds, 1):g} s of sound")


def test_a_chosen_file_is_answered_as_the_sample(page: Page, expected: EmotionResponse) -> None:
    page.locator("#file").set_input_files(SAMPLE)
    page.locator("#analyse").click()
    answers(page, expected)


def drop(target: Locator, *clips: Path) -> None:
    """Drop files on an element."""
    target.evaluate(
        """(element, clips) => {
          const dataTransfer = new DataTransfer();
          for (const [name, base64] of clips) {
            const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
            dataTransfer.items.add(new File([bytes], name, { type: 'video/mp4' }));
          }
          const event = (kind) =>
            new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer });
          element.dispatchEvent(event('dragover'));
          element.dispatchEvent(event('drop'));
        }""",
        [[clip.name, base64.b64encode(clip.read_bytes()).decode()] for clip in clips],
    )


def test_a_file_may_be_dropped_anywhere(page: Page, expected: EmotionResponse) -> None:
    drop(page.locator("footer"), SAMPLE)
    expect(page.locator("#analyse")).to_be_focused()
    page.keyboard.press("Control+Enter")
    answers(page, expected)


def test_several_files_are_a_batch(page: Page) -> None:
    drop(page.get_by_role("main"), SAMPLE, SAMPLE.with_name("sad_face.mp4"))
    expect(page.get_by_role("heading", level=1, name="Many clips")).to_be_visible()
    expect(page.get_by_role("row", name="sad_face.mp4")).to_be_visible()


def drag_from_desktop(page: Page, *paths: Path) -> None:
    """Drag files or folders from outside the browser into the page's middle, and drop them."""
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 640, "y": 400, "data": data}
        session.send("Input.dispatchDragEvent", event)
    session.detach()


def test_a_folder_is_a_batch_of_all_clips_in_it_and_in_its_folders(
    page: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    (folder / "monday").mkdir(parents=True)
    (folder / "notes.txt").write_text("None of the clips.")
    for name in ("first.mp4", "monday/second.mp4"):
        (folder / name).write_bytes(SAMPLE.read_bytes())
    drag_from_desktop(page, folder)
    expect(page.get_by_role("heading", level=1, name="Many clips")).to_be_visible()
    for name in ("recordings/first.mp4", "recordings/monday/second.mp4"):
        expect(page.get_by_role("row", name=name)).to_be_visible()
    expect(page.get_by_role("row", name="notes.txt")).to_have_count(0)


def test_a_file_of_features_is_no_clip(page: Page, tmp_path: Path) -> None:
    features = tmp_path / "clip.npz"
    features.write_bytes(b"PK")
    drop(page.get_by_role("main"), features)
    expect(page.get_by_role("alert")).to_contain_text("not a clip")


def test_the_choice_of_another_clip_ends_what_runs(page: Page) -> None:
    page.route("**/v1/emotion", lambda route: None)  # which never answers
    page.get_by_role("button", name="Happy face").click()
    page.locator("#analyse").click()
    expect(page.locator(".progress")).to_be_visible()
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Sad face").click()
    expect(page.locator(".progress")).to_have_count(0)
    expect(page.locator(".clip-name")).to_have_text("sad_face.mp4")


def test_the_title_tells_the_view_and_what_came(page: Page) -> None:
    expect(page).to_have_title("Analyse · Emotion-LLaMA")
    analyse_sample(page)
    expect(page).to_have_title(re.compile(r"^The model leans .* · Analyse · Emotion-LLaMA$"))
