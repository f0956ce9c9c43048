"""Prepares structured answers to chat requests: one of a few texts, a pattern, or JSON.

The model was tuned to answer in words that begin with a space. A grammar without the space, or one
that wants JSON first, makes it choose between tokens that it never chooses between: its answer is
then well-formed and wrong. So a choice gets the space; and where a form leaves nothing open but a
label, the label is read as `POST /v1/emotion` reads it, and its text is what vLLM may generate.
Other forms are refused.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from emotion_llama_server.chat.finite_form import (
    OpenForm,
    Texts,
    texts_of_choices,
    texts_of_regex,
    texts_of_schema,
)
from emotion_llama_server.engine import Engine
from emotion_llama_server.services import Services
from emotion_llama_vllm.analysis.spelling import own_spelling
from emotion_llama_vllm.errors import FieldError

_FORMS = "structured_outputs"
_KINDS = ("json", "regex", "choice", "grammar", "json_object", "structural_tag")
_OLD_NAMES = {
    "guided_json": "json",
    "guided_regex": "regex",
    "guided_choice": "choice",
    "guided_grammar": "grammar",
    "guided_json_object": "json_object",
}
"""The fields of older vLLM versions, which the current one ignores silently."""
_OLD_OPTIONS = ("guided_decoding_backend", "guided_whitespace_pattern")

_INSTEAD = (
    "The model answers in words and was not tuned to fill in such a form. POST /v1/emotion answers "
    "in JSON, with the label, the probability of every label and an explanation."
)
_STARTS_WITH_JSON = re.compile(r'\^?[(?:]*(?:["{]|\\[{\["]|\[\\?[{\["])')
"""Matches a pattern whose first character is a brace, a bracket or a quote, in a class or not."""


def adopt_old_names(body: dict[str, Any]) -> None:
    """Rewrite the `guided_` fields of older vLLM versions as `structured_outputs`.

    Raises:
        FieldError: vLLM no longer has the option, or there is a second form.
    """
    for name in _OLD_OPTIONS:
        if body.pop(name, None) is not None:
            raise FieldError(f"`{name}` is no option of this server: leave it out.", field=name)
    for name, kind in _OLD_NAMES.items():
        value = body.pop(name, None)
        if value is None or value is False:
            continue
        if body.get(_FORMS) is not None:
            raise FieldError("Ask for one form of the answer.", field=name)
        body[_FORMS] = {kind: value}


async def settle(body: dict[str, Any], services: Services) -> None:
    """Rewrite the form that a chat request asks for, so that the model can follow it.

    Args:
        body: the request's body, which is rewritten in place.
        services: the app's services, of which the engine and the checkpoint's card are used.

    Raises:
        FieldError: the model cannot follow the form.
        VLLMError: the conversation cannot be used.
    """
    if (asked := _asked(body)) is None:
        return
    (kind, value, field), known = asked, services.card.labels
    try:
        texts = _texts(kind, value, field)
    except OpenForm:
        if kind != "regex" or _STARTS_WITH_JSON.match(value) or _misspells(value, known):
            raise FieldError(f"`{field}`: {_INSTEAD}", field=field) from None
        pattern = value.removeprefix("^").removesuffix("$")
        body[_FORMS] = {"regex": f"[ ](?:{pattern})"}
        return
    answers = _answers(texts, known, field, is_choice=kind == "choice")
    if all(text == words for words, text in answers.items()):
        allowed = [f" {text}" for text in answers]
    else:
        allowed = [answers[await _read(list(answers), body, services.engine)]]
    body.pop("response_format", None)
    body[_FORMS] = {"choice": allowed}


def _asked(body: Mapping[str, Any]) -> tuple[str, Any, str] | None:
    """Return a form's kind, its value and the field that requests it; None for plain text."""
    asked: list[tuple[str, Any, str]] = []
    given, wanted = body.get(_FORMS), body.get("response_format")
    if isinstance(given, dict):
        asked += [(kind, given[kind], _FORMS) for kind in _KINDS if given.get(kind) is not None]
    if isinstance(wanted, dict) and wanted.get("type") != "text":
        inner = wanted.get("json_schema")
        schema = inner.get("schema") if isinstance(inner, dict) else None
        kind = "json" if wanted.get("type") == "json_schema" else str(wanted.get("type"))
        asked.append((kind, schema, "response_format"))
    if len(asked) > 1:
        raise FieldError("Ask for one form of the answer.", field=asked[-1][2])
    return asked[0] if asked else None


def _texts(kind: str, value: Any, field: str) -> Texts:
    """Return the texts that a form allows.

    Raises:
        OpenForm: the form allows more than a few texts.
        FieldError: the form is malformed.
    """
    if kind == "choice":
        if not isinstance(value, list) or not value or not all(map(_has_words, value)):
            raise FieldError("`choice` must be a list of texts.", field=field)
        return texts_of_choices(value)
    if kind == "regex":
        if not _has_words(value):
            raise FieldError("`regex` must be a pattern.", field=field)
        return texts_of_regex(value)
    if kind != "json":
        raise OpenForm
    try:
        return texts_of_schema(json.loads(value) if isinstance(value, str) else value)
    except ValueError as error:
        raise FieldError("The JSON schema is no JSON.", field=field) from error


def _has_words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _answers(texts: Texts, known: Sequence[str], field: str, *, is_choice: bool) -> dict[str, str]:
    """Map the model's possible answers, in the checkpoint's spelling, to the returned texts.

    Raises:
        FieldError: two choices of a list mean the same. Among the texts of a pattern or a
            schema, the first one counts.
    """
    answers: dict[str, str] = {}
    labels = _labels(texts, known)
    for text, words in texts.items():
        spelling = labels.get(text) or words.strip()
        other = answers.setdefault(spelling, text)
        if is_choice and other != text:
            raise FieldError(
                f"{other!r} and {text!r} are the same answer to this checkpoint ({spelling!r}); "
                "name it once.",
                field=field,
            )
    return answers


def _labels(texts: Texts, known: Sequence[str]) -> dict[str, str]:
    """Map texts to the equal labels of the checkpoint, or else to the labels that they contain.

    Sentences count only if each contains one label and no two contain the same.
    """
    labels = {text: own_spelling(words, known) for text, words in texts.items()}
    found = {text: label for text, label in labels.items() if label is not None}
    if found:
        return found
    held = {text: label for text in texts if (label := _label_inside(text, known)) is not None}
    return held if len(set(held.values())) == len(texts) else {}


def _label_inside(text: str, known: Sequence[str]) -> str | None:
    """Return the only label that occurs in a text as a word, in any case."""
    held = [
        label
        for label in known
        if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text, re.IGNORECASE)
    ]
    return held[0] if len(held) == 1 else None


def _misspells(pattern: str, known: Sequence[str]) -> bool:
    """Return whether an open pattern writes a label in another case than the model."""
    folded = pattern.casefold()
    return any(label.casefold() in folded and label not in pattern for label in known)


async def _read(words: Sequence[str], body: Mapping[str, Any], engine: Engine) -> str:
    """Return the words that are the model's most probable answer to the conversation."""
    if len(words) == 1:
        return words[0]
    variables = body.get("chat_template_kwargs")
    style = variables.get("prompt_style") if isinstance(variables, dict) else None
    prompt = await engine.render(body["messages"], style=style or "eval")
    probabilities, _ = await engine.read_labels(prompt, engine.label_tree({w: w for w in words}))
    return max(probabilities, key=probabilities.__getitem__)
