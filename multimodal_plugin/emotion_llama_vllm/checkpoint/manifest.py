"""What a checkpoint was made of: the SHA-256 of every input and of every file in the folder."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel

FILE_NAME = "manifest.json"


class InputFile(BaseModel):
    """One file that went into the conversion."""

    role: str
    name: str
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """Written as `manifest.json`."""

    made_by: str
    inputs: list[InputFile]
    lora_rank: int
    lora_alpha: float
    ignored: dict[str, list[str]]
    """Role to the tensors that its files hold and the model does not use."""
    files: dict[str, str] = {}
    """Name to SHA-256 of the folder's own files."""


def describe_inputs(inputs: Mapping[str, Iterable[Path]]) -> list[InputFile]:
    """Hash the files of each role."""
    return [
        InputFile(role=role, name=file.name, bytes=file.stat().st_size, sha256=sha256(file))
        for role, files in inputs.items()
        for file in files
    ]


def hash_folder(folder: Path) -> dict[str, str]:
    """Hash every file of a checkpoint folder but the manifest."""
    files = sorted(file for file in folder.iterdir() if file.name != FILE_NAME)
    return {file.name: sha256(file) for file in files}


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
