"""Checks a text about a clip against the clip's facts."""

import re

from demo.words.phrases import phrases

Claim = tuple[str, str | bool]  # aspect and value, as in phrases.yaml


def problems(text: str, facts: dict) -> list[str]:
    """Return the errors in a reason: untrue claims, no clue, or not exactly one label word."""
    found = claims(text)
    labels = [claim for claim in found if claim[0] == "emotion"]
    wrong = [f"untrue: {claim[0]} {claim[1]}" for claim in found if not holds(claim, facts)]
    if len(labels) != 1:
        wrong.append(f"names {len(labels)} labels instead of one")
    if len(labels) == len(found):
        wrong.append("gives no clue")
    return wrong


def claims(text: str) -> list[Claim]:
    """Return every claim of a text in English or Chinese, as often as the text makes it."""
    rest, found = text.lower(), []
    found += [("action_units", f"AU{number}") for number in re.findall(r"\bau ?(\d+)", rest)]
    for wording, claim in _wordings():
        pattern = rf"\b{re.escape(wording)}\b" if wording.isascii() else re.escape(wording)
        rest, count = re.subn(pattern, "|", rest)
        found += [claim] * count
    return found


def holds(claim: Claim, facts: dict) -> bool:
    """Return whether a claim is true of the clip."""
    aspect, value = claim
    if claim == ("action_units", "none"):
        return facts["view"] == "open" and not facts["action_units"]
    if aspect == "action_units":
        return value in facts["action_units"]
    places = (facts, facts["voice"], facts["person"])
    return any(place.get(aspect) == value for place in places)


def _wordings() -> list[tuple[str, Claim]]:
    """Return each wording with its claim, long ones first, so that none matches inside another."""
    table = [
        (wording, (aspect, value))
        for aspect, values in phrases().items()
        for value, languages in values.items()
        for wording in languages.values()
    ]
    return sorted(table, key=lambda entry: -len(entry[0]))
