"""The source of each feature row, as `evidence` tells it."""

import numpy as np
import pytest

from emotion_llama_vllm.analysis.rows import row_sources
from emotion_llama_vllm.media.clip import Clip

FRAME = np.zeros((4, 4, 3), np.uint8)
CROPS = np.zeros((2, 112, 112, 3), np.uint8)
SOUND = np.zeros(400, np.float32)


def features(*given: int) -> np.ndarray:
    rows = np.full((3, 8), np.nan, np.float32)
    rows[list(given)] = 1
    return rows


@pytest.mark.parametrize(
    ("clip", "face_rows", "expected"),
    [
        (Clip(FRAME, None), (0, 1), ["zero", "zero", "zero"]),
        (Clip(FRAME, SOUND), (0, 1), ["zero", "zero", "computed"]),
        (Clip(FRAME, SOUND, face_crops=CROPS), (0, 1), ["computed", "computed", "computed"]),
        (Clip(FRAME, None, face_crops=CROPS), (1,), ["zero", "computed", "zero"]),
        (Clip(FRAME, None, face_crops=CROPS), (), ["zero", "zero", "zero"]),
        (
            Clip(FRAME, SOUND, face_crops=CROPS, features=features(1, 2)),
            (0, 1),
            ["computed", "given", "given"],
        ),
        (Clip(FRAME, SOUND, features=features(0)), (), ["given", "zero", "computed"]),
    ],
)
def test_given_rows_win_and_the_others_are_computed_where_that_is_possible(
    clip: Clip, face_rows: tuple[int, ...], expected: list[str]
) -> None:
    assert row_sources(clip, face_rows) == dict(
        zip(("FaceMAE", "VideoMAE", "audio"), expected, strict=True)
    )
