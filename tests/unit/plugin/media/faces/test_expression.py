"""The strength of an expression, and the frame that is the peak."""

import numpy as np
import numpy.typing as npt
import pytest

from emotion_llama_vllm.media.faces.expression import Expression, measure, peak
from emotion_llama_vllm.media.faces.tracker import Tracker


def test_an_open_mouth_and_closed_eyes_are_measured(smile: npt.NDArray[np.uint8]) -> None:
    face = Tracker().find(smile)
    assert face is not None
    expression = measure(face.points)
    assert expression.strength > 1
    assert 0 <= expression.closed < 0.4
    shut = face.points.copy()
    for upper, lower in ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380), (387, 373)):
        shut[upper] = shut[lower]
    assert measure(shut).closed > expression.closed + 0.15


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(1, 0.1), (3, 0.1), (2, 0.1)], 1),
        ([(1, 0.1), (2, 0.1), (2, 0.1)], 1),
        ([(1, 0.1), (3, 0.5), (2, 0.1)], 2),  # a blink is passed over
        ([(1, 0.6), (3, 0.6), (2, 0.6)], 1),  # narrow eyes are none
        ([(1, 0.6), (3, 0.8), (2, 0.6)], 2),
        ([(1, 0.9)], 0),
        ([], None),
    ],
)
def test_the_peak_is_the_strongest_frame_outside_blinks(
    seen: list[tuple[float, float]], expected: int | None
) -> None:
    assert peak({i: Expression(*values) for i, values in enumerate(seen)}) == expected
