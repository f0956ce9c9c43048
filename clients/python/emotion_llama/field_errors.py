"""Says in one sentence which field of a request is wrong, for the server and for agents' tools."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from emotion_llama.schema import EmotionRequest, TimelineRequest

_MOST_ERRORS = 100
_FIELDS = [*EmotionRequest.model_fields, *TimelineRequest.model_fields]
"""The fields of the requests that refuse unknown ones."""
_MAX_NAME = 64
"""The maximum length of a field's name that is compared with these; a long one takes long."""


def first_error(found: Sequence[Mapping[str, Any]]) -> tuple[str | None, str]:
    """Return the first invalid field and its error, without the values of the body.

    Args:
        found: the errors of a pydantic.ValidationError.
    """
    errors = found[:_MOST_ERRORS]
    if errors[0]["type"] == "json_invalid":
        return None, "The body is not valid JSON."
    param = _param(errors[0]["loc"])
    # There is one error for each type that the field may have.
    same = [error for error in errors if _param(error["loc"]) == param]
    kinds = {error["type"] for error in same}
    if param and kinds == {"missing"}:
        return param, f"`{param}` is missing."
    if param and kinds == {"extra_forbidden"}:
        return param, f"`{param}` is no field of this request{_did_you_mean(param)}"
    wrong = dict.fromkeys(error["msg"] for error in same)
    details = "; or: ".join(wrong).replace(" after validation", "")
    return param, f"{param}: {details}" if param else details


def _did_you_mean(param: str) -> str:
    """Return the end of a sentence about an unknown field, with the field that is nearly it."""
    near = get_close_matches(param.rpartition(".")[2][:_MAX_NAME], _FIELDS, n=1)
    return f"; did you mean `{near[0]}`?" if near else "."


def _param(location: tuple[int | str, ...]) -> str | None:
    """Return the field's path in the body, without list indices and names of types."""
    places = [str(place) for place in location if place not in ("body", "float")]
    return ".".join(place for place in places if place.isidentifier()) or None
