"""Tells where each of a clip's feature rows comes from."""

from collections.abc import Collection

from emotion_llama.schema import RowSource
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode.npz import AUDIO_ROW, FEATURE_NAMES, missing


def row_sources(clip: Clip, face_rows: Collection[int]) -> dict[str, RowSource]:
    """Return the source of each row, by its name.

    A given row wins. The others are computed from the sound or from the face crops; they are zeros
    if the clip has none, or if the checkpoint lacks the encoder.

    Args:
        clip: the clip as it is sent to the model.
        face_rows: the rows that the checkpoint computes from face crops.
    """
    computed = {AUDIO_ROW} if clip.waveform is not None else set[int]()
    if clip.face_crops is not None:
        computed.update(face_rows)
    return {
        name: "given" if _is_given(clip, row) else "computed" if row in computed else "zero"
        for row, name in enumerate(FEATURE_NAMES)
    }


def _is_given(clip: Clip, row: int) -> bool:
    return not missing(clip.features, [row])
