"""Reads what responses tell about the served checkpoint: a folder or a repository."""

from collections.abc import Iterable
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
    face_rows: tuple[int, ...] = ()
    """The feature rows that the checkpoint computes from face crops."""


def read_served(
    name: str, model: str, revision: str | None = None, *, face_rows: Iterable[int] = ()
) -> Served:
    """Read the facts about a checkpoint, whose card and manifest may be absent.

    Args:
        name: the model name that clients use.
        model: the checkpoint's folder or repository.
        revision: the revision of the repository.
        face_rows: the feature rows that the network computes from face crops.

    Raises:
        pydantic.ValidationError: the card is invalid.
    """
    card_file = _file(model, card.FILE_NAME, revision)
    manifest_file = _file(model, manifest.FILE_NAME, revision)
    return Served(
        name=name,
        card=card.Card.model_validate_json(card_file.read_bytes()) if card_file else card.Card(),
        manifest=manifest.sha256(manifest_file) if manifest_file else None,
        face_rows=tuple(face_rows),
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
