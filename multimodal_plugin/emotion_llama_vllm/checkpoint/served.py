"""Reads the card and the manifest of the served checkpoint: a folder or a repository."""

from dataclasses import dataclass
from pathlib import Path

from transformers.utils.hub import cached_file

from emotion_llama_vllm.checkpoint import card, manifest


@dataclass(frozen=True)
class Served:
    """Holds the facts about the served checkpoint that responses contain."""

    name: str
    """The model name that clients use."""
    card: card.Card
    manifest: str | None
    """The SHA-256 of the checkpoint's `manifest.json`, which identifies the whole checkpoint."""


def read_served(name: str, model: str, revision: str | None = None) -> Served:
    """Read the card and the manifest of a checkpoint, both of which may be absent.

    Args:
        name: the model name that clients use.
        model: the checkpoint's folder or repository.
        revision: the revision of the repository.

    Raises:
        pydantic.ValidationError: the card is invalid.
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
