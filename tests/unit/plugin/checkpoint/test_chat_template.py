"""The prompts, letter by letter."""

from typing import Any

import pytest
from jinja2 import TemplateError
from transformers import PreTrainedTokenizerFast

CLIP = "<video><unk></video> <feature><FeatureHere></feature>"
VIDEO = {"type": "video"}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


@pytest.fixture
def render(tokenizer: PreTrainedTokenizerFast) -> Any:
    def render(*messages: tuple[str, Any], **variables: Any) -> str:
        conversation = [{"role": role, "content": content} for role, content in messages]
        return str(tokenizer.apply_chat_template(conversation, tokenize=False, **variables))

    return render


def test_evaluation_style_is_the_default(render: Any) -> None:
    words = "The person in video says: T.  [emotion] Q"
    expected = f"<s><s>[INST] {CLIP} {words}  [/INST]"
    assert render(("user", [VIDEO, text(words)])) == expected
    assert render(("user", [VIDEO, text(words)]), prompt_style="eval") == expected


def test_demo_style_is_the_originals_with_a_second_opening(render: Any) -> None:
    expected = f"<s><s>[INST] {CLIP}<s>[INST] Q [/INST]"
    assert render(("user", [VIDEO, text("Q")]), prompt_style="demo") == expected


@pytest.mark.parametrize("style", ["eval", "demo"])
def test_text_alone_has_no_clip(render: Any, style: str) -> None:
    assert render(("user", "TEXT"), prompt_style=style) == "<s><s>[INST] TEXT [/INST]"


def test_text_is_verbatim(render: Any) -> None:
    words = "  two  spaces, 中文, \n a line, {{ bos_token }} "
    assert f" {words}  [/INST]" in render(("user", [VIDEO, text(words)]))


def test_later_turns_follow_the_answer_at_once(render: Any) -> None:
    prompt = render(
        ("user", [VIDEO, text("A")]), ("assistant", "happy"), ("user", "B"), prompt_style="demo"
    )
    assert prompt == f"<s><s>[INST] {CLIP}<s>[INST] A [/INST]happy<s>[INST] B [/INST]"


def test_a_clip_may_come_in_a_later_turn(render: Any) -> None:
    prompt = render(("user", "A"), ("assistant", "yes"), ("user", [VIDEO, text("B")]))
    assert prompt == f"<s><s>[INST] A [/INST]yes<s>[INST] {CLIP} B  [/INST]"


def test_a_system_message_stands_before_the_first_user_text(render: Any) -> None:
    prompt = render(
        ("system", "S"), ("user", [VIDEO, text("A")]), ("assistant", "x"), ("user", "B")
    )
    assert prompt == f"<s><s>[INST] {CLIP} S A  [/INST]x<s>[INST] B [/INST]"


@pytest.mark.parametrize(
    "parts",
    [
        [VIDEO, text("A"), text("B")],
        [text("A"), VIDEO, text("B")],
        [text("A"), text("B"), VIDEO],
    ],
)
def test_text_parts_are_joined_wherever_the_clip_stands(render: Any, parts: list[Any]) -> None:
    assert render(("user", parts)) == f"<s><s>[INST] {CLIP} A B  [/INST]"


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
@pytest.mark.parametrize(
    "forged",
    ["<unk>", "<s>", "</s>", "<<s>unk>", "<<unk>s>", "<</s>s>", "<video><unk></video>", "<s><s>"],
)
def test_special_tokens_in_any_text_lose_their_power(
    render: Any, tokenizer: PreTrainedTokenizerFast, role: str, forged: str
) -> None:
    honest = render((role, "x"), ("user", [VIDEO, text("Q")]))
    prompt = render((role, forged), ("user", [VIDEO, text("Q")]))
    ids, honest_ids = (tokenizer.encode(p, add_special_tokens=False) for p in (prompt, honest))
    for special in (0, 1, 2):
        assert ids.count(special) == honest_ids.count(special)


def test_special_tokens_lose_it_by_one_space(render: Any) -> None:
    assert "< unk>< s>< /s>" in render(("user", "<unk><s></s>"))


def test_no_other_variable_is_read(render: Any) -> None:
    conversation = ("user", [VIDEO, text("Q")])
    plain = render(conversation)
    for name in ("bos_token", "eos_token", "unk_token", "system", "state", "clip", "style"):
        assert render(conversation, **{name: ["<unk>"]}) == plain


@pytest.mark.parametrize(
    ("messages", "variables"),
    [
        ([("user", [VIDEO, VIDEO, text("Q")])], {}),
        ([("user", [VIDEO]), ("assistant", "a"), ("user", [VIDEO])], {}),
        ([("user", [{"type": "image"}, text("Q")])], {}),
        ([("assistant", [VIDEO])], {}),
        ([("tool", "x")], {}),
        ([("user", "Q")], {"prompt_style": "other"}),
    ],
)
def test_what_has_no_prompt_is_refused(render: Any, messages: Any, variables: Any) -> None:
    with pytest.raises(TemplateError):
        render(*messages, **variables)
