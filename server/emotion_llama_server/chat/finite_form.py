"""Lists the texts that a form of an answer allows, if it allows only a few.

Each text comes with its chosen words: `{"emotion": "sad"}` with `sad`. A regular expression counts
if it is a choice of literals, with or without literals around it. A JSON schema counts if it leaves
only one string open, with a few possible values.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Texts = dict[str, str]
"""Maps each possible text of an answer to the words that are chosen in it."""

_MAX_TEXTS = 256
_MAX_DEPTH = 32

_LITERAL = r"(?:(?: |\\s)[?*]|[^\\.\[\]{}()*+?|^$]|\\[^\w\s])*"
"""Matches plain and escaped characters, and optional spaces."""
_CHOICES = rf"{_LITERAL}(?:\|{_LITERAL})*"
_REGEX = re.compile(
    rf"\^?(?:({_LITERAL})\((?:\?:)?({_CHOICES})\)({_LITERAL})|({_CHOICES}))\$?", re.DOTALL
)
_OPTIONAL_SPACE = re.compile(r"(?: |\\s)[?*]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CHOICE = re.compile(r"(?:[^|\\]|\\.)+", re.DOTALL)


class OpenForm(Exception):
    """Reports that a form leaves more open than a choice between a few texts."""


def texts_of_choices(choices: list[str]) -> Texts:
    """Return the texts of a list of choices, some of which may be JSON around one string.

    Raises:
        OpenForm: a choice is JSON with more than one string.
    """
    return {choice: _words(choice) for choice in choices}


def texts_of_regex(pattern: str) -> Texts:
    """Return the texts that a regular expression matches, without optional spaces.

    Raises:
        OpenForm: the expression is more than a choice of literals.
    """
    if (found := _REGEX.fullmatch(pattern)) is None:
        raise OpenForm
    before, inner, after, alone = found.groups()
    if alone is not None:
        return _few(texts_of_choices([_literal(choice) for choice in _CHOICE.findall(alone)]))
    before, after = _literal(before), _literal(after)
    choices = [_literal(choice) for choice in _CHOICE.findall(inner)]
    return _few({f"{before}{choice}{after}": choice for choice in choices})


def texts_of_schema(schema: object) -> Texts:
    """Return the JSON documents that a schema allows, without their optional properties.

    Raises:
        OpenForm: more than one string is open, or something other than a string with a few values.
    """
    document = _Reader(schema).read()
    slots = list(_slots(document))
    if len(slots) > 1:
        raise OpenForm
    words = slots[0] if slots else [""]
    return _few({json.dumps(_fill(document, word), ensure_ascii=False): word for word in words})


def _few(texts: Texts) -> Texts:
    if not 0 < len(texts) <= _MAX_TEXTS:
        raise OpenForm
    return texts


def _literal(pattern: str) -> str:
    return _ESCAPED.sub(r"\1", _OPTIONAL_SPACE.sub("", pattern))


def _words(text: str) -> str:
    """Return the chosen words of a text: all of it, or the one string of a JSON document."""
    if not text.lstrip().startswith(("{", "[", '"')):
        return text
    try:
        strings = [part for part in _leaves(json.loads(text)) if isinstance(part, str)]
    except (ValueError, RecursionError) as error:
        raise OpenForm from error
    if len(strings) != 1:
        raise OpenForm
    return strings[0]


class _Slot(list[str]):
    """Holds the possible values of an open string, and stands for it in a document."""


def _leaves(document: Any) -> Iterator[Any]:
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list) and not isinstance(document, _Slot):
        for part in document:
            yield from _leaves(part)
    else:
        yield document


def _slots(document: Any) -> Iterator[_Slot]:
    return (part for part in _leaves(document) if isinstance(part, _Slot))


def _fill(document: Any, word: str) -> Any:
    if isinstance(document, _Slot):
        return word
    if isinstance(document, dict):
        return {name: _fill(part, word) for name, part in document.items()}
    return document


class _Reader:
    """Builds the one document that a JSON schema allows, with slots for its open strings."""

    def __init__(self, schema: object) -> None:
        self._root = schema
        self._parts = 0

    def read(self) -> Any:
        return self._document(self._root, 0)

    def _document(self, schema: object, depth: int) -> Any:
        self._parts += 1  # references can make a small schema large
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH or self._parts > _MAX_TEXTS:
            raise OpenForm
        if "const" in schema:
            return schema["const"]
        if isinstance(values := schema.get("enum"), list):
            return _chosen(values)
        for key in ("anyOf", "oneOf", "allOf"):
            if isinstance(branches := schema.get(key), list):
                return self._document(_only(branches), depth + 1)
        if isinstance(reference := schema.get("$ref"), str):
            return self._document(self._referred(reference), depth + 1)
        if schema.get("type") == "null":
            return None
        if schema.get("type") == "string" and isinstance(pattern := schema.get("pattern"), str):
            return _chosen(list(texts_of_regex(pattern)))
        return self._object(schema, depth)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties, required = schema.get("properties"), schema.get("required", [])
        is_object = schema.get("type", "object") == "object" and isinstance(properties, Mapping)
        if not is_object or not isinstance(required, list):
            raise OpenForm
        document = {}
        for name, part in properties.items():  # type: ignore[union-attr]
            try:
                document[name] = self._document(part, depth + 1)
            except OpenForm:
                if name in required:
                    raise
        if not document or any(name not in document for name in required):
            raise OpenForm
        return document

    def _referred(self, reference: str) -> object:
        found: object = self._root
        for name in reference.removeprefix("#").split("/")[1:]:
            name = name.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                raise OpenForm
            found = found[name]
        return found


def _only(branches: list[Any]) -> Any:
    """Return the only branch that is not null: a nullable value is given if possible."""
    others = [b for b in branches if not (isinstance(b, Mapping) and b.get("type") == "null")]
    if len(others) != 1:
        raise OpenForm
    return others[0]


def _chosen(values: list[Any]) -> Any:
    if len(values) == 1:
        return values[0]
    words = [value for value in values if value is not None]
    if not words or not all(isinstance(word, str) for word in words):
        raise OpenForm
    return _Slot(words)
