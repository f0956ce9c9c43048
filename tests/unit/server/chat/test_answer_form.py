"""Forms of an answer that a chat request asks for: how they become ones that the model keeps to."""

import json
import time
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from emotion_llama_server.chat.finite_form import (
    OpenForm,
    texts_of_choices,
    texts_of_regex,
    texts_of_schema,
)
from tests.support.apps.chat_app import CLIP, TEXT, ChatApp

LABELS = ["neutral", "angry", "happy", "sad", "worried", "surprise"]
ENUM = {"type": "string", "enum": LABELS}


class Verdict(BaseModel):
    """As clients of OpenAI's SDK describe an answer."""

    emotion: Literal["happy", "sad"]


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def response_format(asked: Any) -> dict[str, Any]:
    inner = {"name": "verdict", "schema": asked, "strict": True}
    return {"type": "json_schema", "json_schema": inner}


@pytest.fixture
def app() -> ChatApp:
    return ChatApp()


def choices(app: ChatApp, **fields: Any) -> list[str]:
    """Return what vLLM is told to let the model choose from."""
    request = app.got(**fields)
    assert request.response_format is None
    assert request.structured_outputs is not None
    return request.structured_outputs.choice or []


@pytest.mark.parametrize(
    "fields",
    [
        {"structured_outputs": {"choice": LABELS}},
        {"structured_outputs": {"choice": LABELS, "regex": None, "whitespace_pattern": None}},
        {"structured_outputs": {"regex": "|".join(LABELS)}},
        {"structured_outputs": {"regex": f"^({'|'.join(LABELS)})$"}},
        {"guided_choice": LABELS},
        {"guided_choice": LABELS, "guided_json": None, "guided_decoding_backend": None},
        {"guided_regex": f"(?:{'|'.join(LABELS)})"},
    ],
)
def test_choices_begin_as_the_models_own_answers_do(app: ChatApp, fields: Any) -> None:
    assert choices(app, **fields) == [f" {label}" for label in LABELS]
    assert app.scored is None


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"structured_outputs": {"choice": ["Happy", "SAD"]}}, "SAD"),
        ({"structured_outputs": {"regex": "(Happy|Sad)"}}, "Sad"),
        ({"guided_choice": ["It is happy.", "She looks SAD today."]}, "She looks SAD today."),
        ({"guided_regex": "(?:A happy one|A sad one)"}, "A sad one"),
        ({"guided_choice": ["Sad", "Happy", "fear"]}, "Sad"),
        ({"structured_outputs": {"regex": r'\{"mood": "(happy|sad)"\}'}}, '{"mood": "sad"}'),
        ({"structured_outputs": {"choice": ['{"a": "happy"}', '{"a": "sad"}']}}, '{"a": "sad"}'),
        ({"structured_outputs": {"json": schema(emotion=ENUM)}}, '{"emotion": "sad"}'),
        ({"structured_outputs": {"json": json.dumps(schema(emotion=ENUM))}}, '{"emotion": "sad"}'),
        ({"guided_json": schema(emotion=ENUM)}, '{"emotion": "sad"}'),
        ({"response_format": response_format(schema(emotion=ENUM))}, '{"emotion": "sad"}'),
        ({"response_format": response_format(Verdict.model_json_schema())}, '{"emotion": "sad"}'),
        ({"response_format": response_format(ENUM)}, '"sad"'),
        (
            {"response_format": response_format(schema(e={"enum": ["Happy", "Sad"]}))},
            '{"e": "Sad"}',
        ),
    ],
)
def test_what_the_model_does_not_say_itself_is_read_as_a_label(
    app: ChatApp, fields: Any, answer: str
) -> None:
    assert choices(app, **fields) == [answer]
    assert {"happy", "sad"} <= set(app.scored or [])
    assert app.rendered == ([{"role": "user", "content": [CLIP, TEXT]}], "eval")


def test_the_label_is_read_behind_the_prompt_that_was_asked_for(app: ChatApp) -> None:
    choices(app, guided_choice=["Happy", "Sad"], chat_template_kwargs={"prompt_style": "demo"})
    assert app.rendered[1] == "demo"


def test_one_document_needs_no_model(app: ChatApp) -> None:
    asked = schema(emotion={"const": "happy"}, version={"const": 1})
    assert choices(app, guided_json=asked) == ['{"emotion": "happy", "version": 1}']
    assert app.scored is None


@pytest.mark.parametrize(
    "words", [["not happy", "sad or happy"], ["very happy", "happy enough"], ["yes", "no"]]
)
def test_words_that_name_no_label_each_are_chosen_as_they_are(
    app: ChatApp, words: list[str]
) -> None:
    assert choices(app, guided_choice=words) == [f" {text}" for text in words]


@pytest.mark.parametrize(
    "pattern", ["[a-z]+", "[Hh]appy|[Ss]ad", r"\w+", ".*", "(happy|sad)[.!]?", "^The .*$", r"[^{]+"]
)
def test_an_open_pattern_gets_the_space(app: ChatApp, pattern: str) -> None:
    forms = app.got(structured_outputs={"regex": pattern}).structured_outputs
    assert forms is not None
    assert forms.regex == f"[ ](?:{pattern.strip('^$')})"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"structured_outputs": {"json_object": True}}, "structured_outputs"),
        ({"guided_json_object": True}, "structured_outputs"),
        ({"structured_outputs": {"grammar": 'root ::= "happy"'}}, "structured_outputs"),
        ({"guided_grammar": 'root ::= "happy"'}, "structured_outputs"),
        ({"structured_outputs": {"structural_tag": "{}"}}, "structured_outputs"),
        ({"structured_outputs": {"regex": r'\{"a": "[a-z]+"\}'}}, "structured_outputs"),
        ({"structured_outputs": {"regex": r'[{]"a": "[a-z]+"}'}}, "structured_outputs"),
        ({"structured_outputs": {"regex": "(Happy|Sad)[.!]?"}}, "structured_outputs"),
        ({"guided_json": schema(emotion=ENUM, why={"type": "string"})}, "structured_outputs"),
        ({"guided_json": schema(emotion=ENUM, sure={"type": "number"})}, "structured_outputs"),
        ({"guided_json": schema(first=ENUM, second=ENUM)}, "structured_outputs"),
        ({"response_format": response_format({"type": "object"})}, "response_format"),
        ({"response_format": response_format({"type": "array", "items": ENUM})}, "response_format"),
        (
            {
                "tools": [{"type": "function", "function": {"name": "tell"}}],
                "tool_choice": {"type": "function", "function": {"name": "tell"}},
            },
            "tools",
        ),
    ],
)
def test_what_cannot_be_kept_to_is_refused_with_the_way_to_ask(
    app: ChatApp, fields: Any, param: str
) -> None:
    error = app.refusal(**fields)
    assert "/v1/emotion" in error["message"]
    assert error["param"] == param


@pytest.mark.parametrize(
    "fields",
    [
        {"guided_choice": []},
        {"guided_choice": "happy"},
        {"guided_choice": ["happy", " "]},
        {"guided_choice": ["happy", "Happy"]},
        {"guided_json": "{"},
        {"guided_regex": 7},
        {"guided_choice": LABELS, "guided_regex": "x"},
        {"guided_choice": LABELS, "response_format": {"type": "json_object"}},
        {"structured_outputs": {"choice": LABELS, "regex": "x"}},
        {"guided_decoding_backend": "outlines"},
        {"guided_whitespace_pattern": " "},
    ],
)
def test_a_malformed_form_is_refused(app: ChatApp, fields: Any) -> None:
    app.refusal(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"response_format": None, "structured_outputs": None, "guided_json": None},
        {"response_format": {"type": "text"}},
        {"tools": None, "tool_choice": None},
        {"tool_choice": "none", "tools": [{"type": "function", "function": {"name": "x"}}]},
    ],
)
def test_plain_answers_have_no_form(app: ChatApp, fields: Any) -> None:
    assert app.got(**fields).structured_outputs is None


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (r"\{\s*\"e\"\s*: ?\"(a|b)\"\s*\}", {'{"e":"a"}': "a", '{"e":"b"}': "b"}),
        (r"Mood: (so-so|very sad)\.", {"Mood: so-so.": "so-so", "Mood: very sad.": "very sad"}),
        (r"a\|b|c\\", {"a|b": "a|b", "c\\": "c\\"}),
        (r"\{\"e\":\"a\"\}|\{\"e\":\"b\"\}", {'{"e":"a"}': "a", '{"e":"b"}': "b"}),
        ("高兴|悲伤", {"高兴": "高兴", "悲伤": "悲伤"}),
    ],
)
def test_a_pattern_of_literals_is_a_list_of_texts(pattern: str, texts: dict[str, str]) -> None:
    assert texts_of_regex(pattern) == texts


@pytest.mark.parametrize("pattern", ["", "a+", "(a|b)(c|d)", "((a))", "[ab]", r"\d", "a|(", "a{2}"])
def test_other_patterns_are_open(pattern: str) -> None:
    with pytest.raises(OpenForm):
        texts_of_regex(pattern)


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        (schema(e={"$ref": "#/$defs/E"}) | {"$defs": {"E": ENUM}}, LABELS),
        (schema(e={"anyOf": [ENUM, {"type": "null"}]}), LABELS),
        (schema(e={"allOf": [ENUM]}), LABELS),
        (schema(e={"enum": ["happy", None]}), ["happy"]),
        (schema(e={"type": "string", "pattern": "^(happy|sad)$"}), ["happy", "sad"]),
        ({"properties": {"e": ENUM, "why": {"type": "string"}}, "required": ["e"]}, LABELS),
        (schema(e={"$ref": "#/$defs/a~1b"}) | {"$defs": {"a/b": ENUM}}, LABELS),
    ],
)
def test_a_schema_of_one_choice_is_a_list_of_documents(asked: Any, texts: list[str]) -> None:
    assert texts_of_schema(asked) == {f'{{"e": "{text}"}}': text for text in texts}


def test_a_document_may_be_deep() -> None:
    asked = schema(version={"const": 2}, verdict=schema(e=ENUM, unit={"enum": ["label"]}))
    first = next(iter(texts_of_schema(asked)))
    assert json.loads(first) == {"version": 2, "verdict": {"e": "neutral", "unit": "label"}}


CYCLE = {"$ref": "#"}
BOMB: dict[str, Any] = {
    "$defs": {f"d{n}": schema(a={"$ref": f"#/$defs/d{n + 1}"}, b={"$ref": f"#/$defs/d{n + 1}"})
              for n in range(30)},
    "$ref": "#/$defs/d0",
}  # fmt: skip
BOMB["$defs"]["d30"] = {"const": 1}


@pytest.mark.parametrize(
    "asked",
    [True, None, [], {}, CYCLE, BOMB, {"$ref": "#/none"}, {"$ref": "http://x"}, {"enum": []},
     {"enum": [1, 2]}, {"anyOf": []}, schema(), {"properties": {}, "required": 7}],
)  # fmt: skip
def test_other_schemas_are_open(asked: Any) -> None:
    started = time.monotonic()
    with pytest.raises(OpenForm):
        texts_of_schema(asked)
    assert time.monotonic() - started < 2


def test_choices_that_are_json_are_known_by_their_one_string() -> None:
    assert texts_of_choices(['{"a": ["sad"], "n": 1}', "plain"]) == {
        '{"a": ["sad"], "n": 1}': "sad",
        "plain": "plain",
    }
    for text in ('{"a": "b", "c": "d"}', "{", "[" * 5000):
        with pytest.raises(OpenForm):
            texts_of_choices([text])
