"""The checkpoint that answers: a folder, or a repository on Hugging Face."""

from dataclasses import dataclass
from pathlib import Path

from transformers.utils.hub import cached_file

from emotion_llama_vllm.checkpoint import card, manifest


@dataclass(frozen=True)
class Served:
    """What is told about it in answers."""

    name: str
    """As clients name it."""
    card: card.Card
    manifest: str | None
    """SHA-256 of its `manifest.json`, which names it and all that is in it."""


def read_served(name: str, model: str, revision: str | None = None) -> Served:
    """Read what a checkpoint says about itself; it may have neither card nor manifest.

    Args:
        name: as clients name it.
        model: its folder or repository.
        revision: of the repository.

    Raises:
        pydantic.ValidationError: its card is none.
    """
    card_file = _file(model, card.FILE_NAME, revision)
    manifest_file = _file(model, manifest.FILE_NAME, revision)
    return Served(
        name=name,
        card=card.Card.model_validate_json(card_file.read_bytes()) if card_file else card.Card(),
        manifest=manifest.sha256(manifest_file) if manifest_file else None,
    )


def _file(model: str, name: str, revision: str | None) -> Path | None:
    file = cached_file(
        model,
        name,
        revision=revision,
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return Path(file) if file else None
