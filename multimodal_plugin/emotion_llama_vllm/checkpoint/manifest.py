"""Records the SHA-256 of every input and of every file of a checkpoint folder."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel

FILE_NAME = "manifest.json"


class InputFile(BaseModel):
    """Describes one input file of the conversion."""

    role: str
    name: str
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """Describes the origin of a checkpoint, in `manifest.json`."""

    made_by: str
    inputs: list[InputFile]
    lora_rank: int
    lora_alpha: float
    ignored: dict[str, list[str]]
    """Maps each role to the tensors in its files that the model does not use."""
    files: dict[str, str] = {}
    """Maps the name of each file in the folder to its SHA-256."""


def describe_inputs(inputs: Mapping[str, Iterable[Path]]) -> list[InputFile]:
    """Hash the files of each role."""
    return [
        InputFile(role=role, name=file.name, bytes=file.stat().st_size, sha256=sha256(file))
        for role, files in inputs.items()
        for file in files
    ]


def hash_folder(folder: Path) -> dict[str, str]:
    """Hash every file of a checkpoint folder except the manifest."""
    files = sorted(file for file in folder.iterdir() if file.name != FILE_NAME)
    return {file.name: sha256(file) for file in files}


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
