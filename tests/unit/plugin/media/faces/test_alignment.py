"""The crop of a face: its places are those of OpenFace's."""

import numpy as np
import numpy.typing as npt
import pytest

from emotion_llama_vllm.media.faces import alignment
from emotion_llama_vllm.media.faces.alignment import POINTS_68, crop
from emotion_llama_vllm.media.faces.tracker import Tracker

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def points(smile: Picture) -> npt.NDArray[np.float32]:
    face = Tracker().find(smile)
    assert face is not None
    return face.points


def places_in_crop(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the 68 points in pixels of the crop."""
    chosen = points[list(POINTS_68)].astype(np.float64)
    matrix = alignment._similarity(chosen)
    return chosen @ matrix[:, :2].T + matrix[:, 2]


def test_the_68_points_of_a_mesh_are_all_different() -> None:
    assert len(POINTS_68) == len(set(POINTS_68)) == 68


def test_a_frontal_face_has_its_eyes_and_its_mouth_where_openface_puts_them(
    points: npt.NDArray[np.float32],
) -> None:
    placed = places_in_crop(points)
    left_eye, right_eye = placed[36:42].mean(axis=0), placed[42:48].mean(axis=0)
    np.testing.assert_allclose(left_eye, (33.0, 29.2), atol=5)
    np.testing.assert_allclose(right_eye, (79.0, 28.9), atol=5)
    assert placed[8, 1] == pytest.approx(109.9, abs=8)
    np.testing.assert_allclose(placed.mean(axis=0), (56, 56), atol=1e-6)


@pytest.mark.parametrize("angle", [0.4, -1.2, 3.0])
@pytest.mark.parametrize("scale", [0.3, 4.0])
def test_turned_moved_and_scaled_points_have_the_same_places(
    points: npt.NDArray[np.float32], angle: float, scale: float
) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (scale * points @ turn.T + (70, -30)).astype(np.float32)
    np.testing.assert_allclose(places_in_crop(moved), places_in_crop(points), atol=0.01)


def test_the_crop_is_the_face_on_black(smile: Picture, points: npt.NDArray[np.float32]) -> None:
    cut = crop(smile, points)
    assert (cut.shape, cut.dtype) == ((112, 112, 3), np.uint8)
    visible = cut.max(axis=2) > 0
    assert 0.7 < visible.mean() < 0.9
    assert not visible[-3:, [0, 1, -2, -1]].any()
    assert visible[56, 56]
    assert visible[0, 56]


def test_what_lies_outside_the_picture_is_black(points: npt.NDArray[np.float32]) -> None:
    white = np.full((40, 40, 3), 255, np.uint8)
    assert not crop(white, points + 1000).any()


def test_the_colours_stay_in_their_order(points: npt.NDArray[np.float32], smile: Picture) -> None:
    red = np.zeros_like(smile)
    red[..., 0] = 200
    assert crop(red, points)[..., 0].max() == 200
    assert not crop(red, points)[..., 1:].any()
