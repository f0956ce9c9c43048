"""What the page says of doubtful answers: no more than the numbers say."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from emotion_llama.schema import EmotionResponse
from tests.support.page.answers import LABELS, analyse_sample, answer_with, response, timeline

ANSWER = response(timeline())


@pytest.fixture
def told(page: Page) -> Callable[[EmotionResponse], Page]:
    """Return the page with an answer about a sample."""

    def tell(answer: EmotionResponse) -> Page:
        answer_with(page, answer)
        analyse_sample(page)
        return page

    return tell


def with_shares(**shares: float) -> EmotionResponse:
    """Return an answer with these probabilities; the other labels share the rest."""
    rest = (1 - sum(shares.values())) / (len(LABELS) - len(shares))
    probabilities = {label: shares.get(label, rest) for label in LABELS}
    emotion = max(shares, key=lambda label: shares[label])
    changes = {
        "probabilities": probabilities,
        "emotion": emotion,
        "confidence": shares[emotion],
        "answer": emotion,
    }
    return ANSWER.model_copy(update=changes)


def test_the_headline_claims_no_certainty(told: Callable[[EmotionResponse], Page]) -> None:
    page = told(with_shares(happy=0.9999))
    headline = page.locator(".headline")
    expect(headline).to_have_text("The model leans strongly to happy (over 99 %).")
    expect(page.locator(".bar").last).to_contain_text("under 1 %")
    told(with_shares(happy=0.34, sad=0.33, angry=0.329))
    expect(headline).to_have_text("No clear label: happy, sad, angry.")
    told(with_shares(happy=0.6, sad=0.3))
    expect(headline).to_have_text("The model leans to happy (60 %), then sad (30 %).")


def test_doubts_are_told(told: Callable[[EmotionResponse], Page], page: Page) -> None:
    page.get_by_text("More options").click()
    page.get_by_label("Labels", exact=True).fill("glad, gloomy")
    evidence = ANSWER.evidence.model_copy(
        update={"has_audio": False, "audio_seconds": 0.0, "frame_time": 0.5}
    )
    changes = {"answer": "sad", "answer_matches": False, "evidence": evidence, "warnings": []}
    told(ANSWER.model_copy(update=changes))
    doubts = page.get_by_role("list", name="To bear in mind").get_by_role("listitem")
    expect(doubts).to_have_text(
        [
            "These labels are yours. The model may never have been trained on them.",
            "In its own words the model said “sad”, which is not its most probable label.",
            "This clip has no sound. The voice was not judged.",
        ]
    )


def test_one_picture_for_a_longer_clip_is_told(
    told: Callable[[EmotionResponse], Page], page: Page
) -> None:
    evidence = ANSWER.evidence.model_copy(update={"audio_seconds": 4.5})
    answer_with(page, ANSWER.model_copy(update={"evidence": evidence, "timeline": None}))
    page.get_by_label("Timeline: the labels over time").uncheck()
    page.get_by_role("button", name="On the server").click()
    page.get_by_role("dialog").get_by_label("Path").fill("clip.mp4")
    page.keyboard.press("Enter")
    page.locator("#analyse").click()
    expect(page.get_by_text("Only the picture at 0 s was looked at.")).to_be_visible()


def test_the_notice_stands_in_every_view(page: Page) -> None:
    for route in ("", "live", "many", "settings", "help"):
        page.goto(f"/#/{route}")
        expect(page.get_by_role("note", name="What this model is")).to_be_visible()
        expect(page.get_by_role("link", name="What this means")).to_be_visible()


def test_the_models_words_are_text(told: Callable[[EmotionResponse], Page]) -> None:
    words = "<b>bold</b> <img src=x>\n& more"
    page = told(ANSWER.model_copy(update={"explanation": words}))
    assert page.locator(".explanation").inner_text() == words
    expect(page.locator(".explanation *")).to_have_count(0)


def test_a_label_keeps_its_colour_across_clips_and_reloads(
    told: Callable[[EmotionResponse], Page],
) -> None:
    def colours(labels: list[str]) -> dict[str, str | None]:
        page = told(response(timeline(labels=labels)))
        bars = page.locator(".bar").all()
        return {
            bar.inner_text().split("\n")[0].strip(): bar.locator("rect").first.get_attribute("fill")
            for bar in bars
        }

    before = colours(["bored", "tired", "happy"])
    assert len(set(before.values())) == 3
    page = told(ANSWER)
    page.unroute_all()  # as the browser keeps no file while there are routes
    page.reload()
    after = colours(["happy", "awake", "tired", "bored"])
    assert {label: after[label] for label in before} == before
