"""Writes answers that follow from a clip's facts: reasons, and replies to free questions."""

from demo.words.phrases import phrase

ENGLISH = {
    "face": "The face shows {}.",
    "hidden": "The person is {}, so the face cannot be seen.",
    "silent": "There is {}.",
    "silent and words": "There is {}, and the words are {}.",
    "voice": "The voice has {}.",
    "voice and words": "The voice has {}, and the words are {}.",
    "hence": "Therefore, it is inferred that the emotional state is: {}",
}
CHINESE = {
    "face": "人物{}。",
    "hidden": "人物{}，看不到表情。",
    "silent": "{}。",
    "silent and words": "{}，话语{}。",
    "voice": "声音{}。",
    "voice and words": "声音{}，话语{}。",
    "hence": "因此，推断其情绪状态是：{}",
}


def reason(facts: dict, with_words: bool, language: str = "en") -> str:
    """Return three sentences: the face, the voice (and the words, if in the prompt), the label.

    The label comes last and without a full stop, as in the original's training texts.
    """
    forms = CHINESE if language == "zh" else ENGLISH
    sentences = [describe_face(facts, language), describe_voice(facts, with_words, language)]
    sentences.append(forms["hence"].format(phrase("emotion", facts["emotion"], language)))
    return ("" if language == "zh" else " ").join(sentences)


def describe_face(facts: dict, language: str = "en") -> str:
    """Describe the face by action units, or say why it is not visible."""
    forms = CHINESE if language == "zh" else ENGLISH
    if facts["view"] != "open":
        return forms["hidden"].format(phrase("view", facts["view"], language))
    units = [f"{phrase('action_units', unit, language)} ({unit})" for unit in facts["action_units"]]
    relaxed = phrase("action_units", "none", language)
    return forms["face"].format(_listed(units or [relaxed], language))


def describe_voice(facts: dict, with_words: bool = False, language: str = "en") -> str:
    """Describe the voice, and the emotion of the words."""
    forms = CHINESE if language == "zh" else ENGLISH
    heard = "silent" if "sound" in facts["voice"] else "voice"
    sounds = [phrase(aspect, value, language) for aspect, value in facts["voice"].items()]
    if not with_words:
        return forms[heard].format(_listed(sounds, language))
    words = phrase("words", facts["words"], language)
    return forms[f"{heard} and words"].format(_listed(sounds, language), words)


def answer(about: str, facts: dict) -> str:
    """Return the reply to a free question about this key of `free` in questions.yaml."""
    if about == "face":
        return describe_face(facts)
    if about == "voice":
        return describe_voice(facts)
    if about == "backdrop" and facts["backdrop"]:
        return f"The clip has {phrase('backdrop', facts['backdrop'], 'en')}."
    seen = facts["person"]
    if about == "hair" and seen.get("hair_style"):
        style, colour = (phrase(a, seen[a], "en") for a in ("hair_style", "hair_colour"))
        return f"The person has {style}, {colour}."
    if about == "glasses" and "glasses" in seen:
        return f"The person {phrase('glasses', seen['glasses'], 'en')}."
    return describe_face(facts)


def _listed(items: list[str], language: str) -> str:
    if language == "zh":
        return "、".join(items)
    return " and ".join([", ".join(items[:-1])] * bool(items[1:]) + items[-1:])
