"""Finds the folders with the face crops of clips."""

from collections.abc import Sequence
from pathlib import Path

from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.matching import shown

Crops = dict[str, Path]
"""Maps each clip that has a folder with face crops to this folder."""


def find_crops(folder: Path, clips: Sequence[str]) -> tuple[Crops, list[str]]:
    """Return the folder of each clip, and a sentence about the clips that have none.

    Args:
        folder: the folder with a folder for each clip, of the clip's name without its ending.
        clips: the clips in the form of find_clips.

    Raises:
        CommandError: no clip has a folder.
    """
    crops = {clip: place for clip in clips if (place := folder / Path(clip).stem).is_dir()}
    if not crops:
        raise CommandError(
            f"--face-crops: {folder} has a folder for none of the clips {shown(clips)}; "
            "it is named like the clip, without the ending."
        )
    without = [clip for clip in clips if clip not in crops]
    return crops, [f"Clips without face crops in {folder}: {shown(without)}."] if without else []
