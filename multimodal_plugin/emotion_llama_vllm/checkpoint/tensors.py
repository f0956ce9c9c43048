"""Reads the tensors of one artefact one by one, and checks each of them."""

import argparse
import json
import pickle
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open


class ConversionError(Exception):
    """Reports why a conversion stops: one sentence with the file, the key and the expectation."""


class Artefact:
    """Represents the named tensors of one or more files.

    Args:
        role: the user's name for the artefact, such as `--llama`.
        files: safetensors files, or pickles, which are read as plain tensors only.
        inside: the keys of a dictionary in a pickle that may hold the tensors; the first that is
            there counts.

    Raises:
        ConversionError: a file is not of this kind.
    """

    def __init__(self, role: str, files: Sequence[Path], *, inside: Sequence[str] = ()) -> None:
        self.role = role
        self.files = list(files)
        self._readers: dict[str, Callable[[], torch.Tensor]] = {}
        self._homes: dict[str, Path] = {}
        for file in self.files:
            readers = (
                _open_safetensors(file) if _is_safetensors(file) else _open_pickle(file, inside)
            )
            self._readers |= readers
            self._homes |= dict.fromkeys(readers, file)
        self._untaken = set(self._readers)

    @classmethod
    def of_folder(cls, role: str, folder: Path) -> "Artefact":
        """Open the weights of a Hugging Face folder: its safetensors files, or else its pickles."""
        for pattern in ("model*.safetensors", "pytorch_model*.bin"):
            if files := sorted(folder.glob(pattern)):
                return cls(role, files)
        raise ConversionError(
            f"{role} {folder} holds no weights: "
            "model*.safetensors or pytorch_model*.bin is expected."
        )

    def __contains__(self, name: str) -> bool:
        return name in self._readers

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._read(name).shape)

    def take(self, name: str, shape: Sequence[int]) -> torch.Tensor:
        """Read a tensor, and check its shape and that its values are finite."""
        tensor = self._read(name)
        if tuple(tensor.shape) != tuple(shape):
            raise ConversionError(
                f"{self._homes[name]}: {name} is {list(tensor.shape)}, "
                f"but {list(shape)} is expected."
            )
        if not torch.isfinite(tensor).all():
            raise ConversionError(
                f"{self._homes[name]}: {name} holds values that are not finite numbers, "
                "so the file is damaged; fetch it again."
            )
        self._untaken.discard(name)
        return tensor

    def finish(self, is_ignored: Callable[[str], bool]) -> list[str]:
        """Return the unread names that may be ignored.

        Raises:
            ConversionError: there is an unread name that must not be ignored.
        """
        ignored = sorted(filter(is_ignored, self._untaken))
        if unknown := sorted(self._untaken.difference(ignored)):
            raise ConversionError(
                f"{self._homes[unknown[0]]}: {unknown[0]} is a tensor that this model does not "
                f"have ({len(unknown)} such); {self.role} expects the original's file."
            )
        return ignored

    def names(self) -> Iterable[str]:
        return self._readers.keys()

    def _read(self, name: str) -> torch.Tensor:
        if name not in self._readers:
            where = self.files[0] if len(self.files) == 1 else self.files[0].parent
            raise ConversionError(
                f"{where}: the tensor {name} is missing, which {self.role} needs."
            )
        return self._readers[name]()


def read_json(file: Path, role: str) -> dict:
    """Read a JSON object.

    Raises:
        ConversionError: the file is missing, or does not hold a JSON object.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConversionError(f"{role}: {file} is missing.") from error
    except (OSError, ValueError) as error:
        raise ConversionError(f"{role}: {file} is no JSON file.") from error
    if not isinstance(content, dict):
        raise ConversionError(f"{role}: {file} must hold a JSON object.")
    return content


def _is_safetensors(file: Path) -> bool:
    return file.suffix == ".safetensors"


def _open_safetensors(file: Path) -> dict[str, Callable[[], torch.Tensor]]:
    try:
        handle = safe_open(file, framework="pt")
        return {name: lambda name=name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ConversionError(f"{file} is no safetensors file, or a damaged one.") from error


def _open_pickle(file: Path, inside: Sequence[str]) -> dict[str, Callable[[], torch.Tensor]]:
    content = _load(file)
    if isinstance(content, dict):
        dictionaries = (content[key] for key in inside if isinstance(content.get(key), dict))
        content = next(dictionaries, content)
    if not isinstance(content, dict) or not all(
        isinstance(t, torch.Tensor) for t in content.values()
    ):
        raise ConversionError(f"{file} is no dictionary of tensors.")
    return {name: lambda tensor=tensor: tensor for name, tensor in content.items()}


def _load(file: Path) -> object:
    """Unpickle tensors without running code from the file; map the file to memory if possible.

    Trainings store their arguments as an `argparse.Namespace` too, which only holds values.
    """
    with torch.serialization.safe_globals([argparse.Namespace]):
        return _load_tensors(file)


def _load_tensors(file: Path) -> object:
    try:
        return torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError:
        pass  # PyTorch before 1.6 wrote no zip files, and only those can be mapped
    except (pickle.UnpicklingError, EOFError, OSError, ValueError) as error:
        raise _no_tensors(file) from error
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise _no_tensors(file) from error


def _no_tensors(file: Path) -> ConversionError:
    if not file.is_file():
        return ConversionError(f"{file} is missing.")
    return ConversionError(
        f"{file} is no file of plain tensors: it is damaged, or holds other objects, "
        "which are never read."
    )
