"""Adds the face encoders to a checkpoint folder that exists."""

import shutil
from importlib.metadata import version
from pathlib import Path

from emotion_llama_vllm.checkpoint.face_encoders import FaceEncoder, open_face_encoders
from emotion_llama_vllm.checkpoint.folder import (
    INDEX,
    read_folder,
    replaced_files,
    write_part,
)
from emotion_llama_vllm.checkpoint.manifest import (
    FILE_NAME,
    Manifest,
    describe_inputs,
    hash_folder,
)
from emotion_llama_vllm.media.decode.npz import FEATURE_NAMES


def add_encoders(
    folder: Path, *, face_mae: Path | None = None, video_mae: Path | None = None
) -> list[str]:
    """Add one encoder or both to a checkpoint; one that is there already is replaced.

    The other files stay as they are, so that the manifest still tells whether they were changed.

    Args:
        folder: a folder made by `convert`.
        face_mae: the original's `mae_checkpoint-340.pth`.
        video_mae: the original's `maeVideo_ckp199.pth`.

    Returns:
        The names of the feature rows that the checkpoint computes from face crops now.

    Raises:
        ConversionError: the folder is no checkpoint, or a file is damaged or of the wrong kind.
    """
    config, manifest = read_folder(folder)
    encoders = open_face_encoders(face_mae, video_mae, config)
    with replaced_files(folder) as new:
        if (folder / INDEX).is_file():
            shutil.copy(folder / INDEX, new)
        for encoder in encoders:
            write_part(new, encoder.file_name, encoder.tensors())
        config.save_pretrained(new)
        manifest = _updated(manifest, encoders, hash_folder(new))
        (new / FILE_NAME).write_text(manifest.model_dump_json(indent=2) + "\n")
    return [FEATURE_NAMES[row] for row in config.face_rows]


def _updated(manifest: Manifest, encoders: list[FaceEncoder], files: dict[str, str]) -> Manifest:
    roles = {encoder.kind.role: encoder.files for encoder in encoders}
    kept = [entry for entry in manifest.inputs if entry.role not in roles]
    left_out = {encoder.kind.role: encoder.finish() for encoder in encoders}
    return manifest.model_copy(
        update={
            "made_by": f"emotion-llama {version('emotion-llama')}",
            "inputs": [*kept, *describe_inputs(roles)],
            "ignored": manifest.ignored | left_out,
            "files": manifest.files | files,
        }
    )
