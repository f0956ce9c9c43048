"""The chat about a clip: words as they come, Stop, history, and a conversation that is too long."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Request, expect

from tests.support.page.browser import Visitor

STREAM = """
// Streams what the test pushes; Playwright's own routes answer in one piece.
window.asked = [];
const ask = window.fetch;
window.fetch = (address, init) => {
  if (!String(address).endsWith('/v1/chat/completions')) {
    return ask(address, init);
  }
  asked.push(JSON.parse(init.body));
  const body = new ReadableStream({
    start(controller) {
      window.say = (text, reason = null) => {
        const choices = [{ delta: { content: text }, finish_reason: reason }];
        const data = JSON.stringify({ choices });
        controller.enqueue(new TextEncoder().encode(`data: ${data}\\n\\n`));
        if (reason) {
          controller.enqueue(new TextEncoder().encode('data: [DONE]\\n\\n'));
          controller.close();
        }
      };
      init.signal.addEventListener('abort', () => controller.error(init.signal.reason));
    },
  });
  return Promise.resolve(new Response(body, { headers: { 'Content-Type': 'text/event-stream' } }));
};
"""
FACE = "Describe the person's facial expression in the video."
FIRST = f"The person in video says: .  [visual] {FACE}"


def with_chat(page: Page) -> Page:
    """Take a sample and open the chat about it."""
    page.get_by_role("button", name="Happy face").click()
    page.locator(".chat summary").click()
    return page


@pytest.fixture(scope="module")
def streaming_tab(shared: Visitor) -> Page:
    tab = shared.context().new_page()
    tab.add_init_script(STREAM)
    return tab


@pytest.fixture
def chat(shared: Visitor, streaming_tab: Page) -> Iterator[Page]:
    """A chat whose answers the test streams."""
    with shared.visit(streaming_tab) as page:
        yield with_chat(page)


def say(page: Page, text: str, reason: str | None = None) -> None:
    page.evaluate("([text, reason]) => say(text, reason)", [text, reason])


def send(page: Page, question: str) -> None:
    page.get_by_label("Question", exact=True).last.fill(question)
    page.keyboard.press("Control+Enter")


def ask(page: Page, question: str) -> None:
    """Ask, and wait until the answer begins, which the test streams."""
    send(page, question)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()


def test_the_model_answers_and_is_asked_again_with_what_was_said(page: Page) -> None:
    bodies: list[dict] = []

    def keep(request: Request) -> None:
        if request.url.endswith("/v1/chat/completions"):
            bodies.append(json.loads(request.post_data or ""))

    page.on("request", keep)
    with_chat(page)
    page.get_by_role("button", name=FACE).click()
    answer = page.locator(".turn-answer .model-words")
    expect(answer).to_contain_text("The face shows", timeout=60_000)
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=60_000)
    said = answer.inner_text()
    send(page, "How does the voice sound?")
    expect(answer).to_have_count(2, timeout=60_000)
    page.remove_listener("request", keep)

    clip, text = bodies[0]["messages"][0]["content"]
    assert clip["video_url"]["url"].startswith("data:")
    assert text == {"type": "text", "text": FIRST}
    assert bodies[1]["messages"][0] == bodies[0]["messages"][0]
    assert [message["content"] for message in bodies[1]["messages"][1:]] == [
        said,
        "How does the voice sound?",
    ]


def test_words_are_shown_as_they_come_and_stopping_keeps_them(chat: Page) -> None:
    ask(chat, "Why?")
    say(chat, "The face ")
    expect(chat.locator(".turn-answer")).to_contain_text("The face")
    expect(chat.locator(".turn-answer")).to_have_attribute("aria-busy", "true")
    chat.get_by_role("button", name="Stop").click()
    expect(chat.locator(".turn-answer")).to_contain_text("The face Stopped.")
    expect(chat.get_by_role("button", name="Send")).to_be_visible()


def test_markup_in_an_answer_is_shown_as_text(chat: Page) -> None:
    ask(chat, "Why?")
    say(chat, "<b>Bold</b>", "stop")
    expect(chat.locator(".turn-answer .model-words")).to_have_text("<b>Bold</b>")


def test_an_answer_that_was_cut_is_marked(chat: Page) -> None:
    ask(chat, "Why?")
    say(chat, "The face", "length")
    expect(chat.get_by_text("Cut at the limit of tokens")).to_be_visible()


def test_a_conversation_that_is_too_long_begins_anew(page: Page) -> None:
    error = {
        "message": "The prompt is too long.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
    page.route(
        "**/v1/chat/completions", lambda route: route.fulfill(status=400, json={"error": error})
    )
    with_chat(page)
    page.get_by_role("button", name=FACE).click()
    expect(page.get_by_text("This conversation is longer than the model can read.")).to_be_visible()
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_another_clip_begins_another_chat(chat: Page) -> None:
    ask(chat, "Why?")
    say(chat, "A smile.", "stop")
    chat.get_by_role("button", name="Sad face").click()
    expect(chat.locator(".turn")).to_have_count(0)


def test_a_clip_that_is_too_large_to_be_sent_with_each_question_is_told(page: Page) -> None:
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(17 * 2 ** 20)], 'large.mp4'));
          const input = document.getElementById('file');
          input.files = transfer.files;
          input.dispatchEvent(new Event('change'));
        }"""
    )
    page.locator(".chat summary").click()
    expect(page.get_by_text("it takes up to 16.8 MB. This one has 17.8 MB.")).to_be_visible()


def test_the_chat_has_no_barriers(chat: Page, axe: Callable[[Page], list[str]]) -> None:
    ask(chat, "Why?")
    say(chat, "A smile.", "stop")
    expect(chat.get_by_role("button", name="Send")).to_be_visible()
    assert axe(chat) == []
