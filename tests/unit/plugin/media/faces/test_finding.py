"""Finding and following a face, in pictures of any size."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from emotion_llama_vllm.media.faces import landmarks
from emotion_llama_vllm.media.faces.detector import detect
from emotion_llama_vllm.media.faces.region import Region
from emotion_llama_vllm.media.faces.tracker import Tracker

Picture = npt.NDArray[np.uint8]


def on_page(*faces: tuple[Picture, int, int], size: tuple[int, int] = (480, 640)) -> Picture:
    """Return a grey page [height, width, 3] with pictures at places (top, left)."""
    page = np.full((*size, 3), 128, np.uint8)
    for picture, top, left in faces:
        height, width = picture.shape[:2]
        page[top : top + height, left : left + width] = picture
    return page


def scaled(picture: Picture, height: int) -> Picture:
    width = picture.shape[1] * height // picture.shape[0]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def test_a_face_is_found_where_it_is(smile: Picture) -> None:
    [alone] = detect(smile)
    [moved] = detect(on_page((smile, 100, 200)))
    assert moved.left == pytest.approx(alone.left + 200, abs=8)
    assert moved.top == pytest.approx(alone.top + 100, abs=8)
    assert moved.width == pytest.approx(alone.width, rel=0.1)


def test_the_widest_of_several_faces_comes_first_and_is_followed(smile: Picture) -> None:
    small, large = scaled(smile, 150), scaled(smile, 220)
    faces = detect(on_page((small, 20, 20), (large, 200, 300)))
    assert len(faces) == 2
    assert faces[0].width > faces[1].width
    tracker = Tracker()
    followed = tracker.find(on_page((small, 20, 20), (large, 200, 300)))
    assert followed is not None
    assert followed.box[0] > 300
    # It stays the one that is followed, even beside a wider one.
    still = tracker.find(on_page((scaled(smile, 240), 10, 10), (large, 210, 305)))
    assert still is not None
    assert still.box[0] > 300


def test_a_lost_face_is_found_again_elsewhere(smile: Picture) -> None:
    tracker, small = Tracker(), scaled(smile, 200)
    assert tracker.find(on_page((small, 10, 10))) is not None
    assert tracker.find(on_page()) is None
    again = tracker.find(on_page((small, 250, 350)))
    assert again is not None
    assert again.box[0] > 350


def test_a_face_that_fills_the_picture_is_found(smile: Picture) -> None:
    [face] = detect(smile)
    left, top, side = round(face.left), round(face.top), round(face.width)
    close = smile[top : top + side, left : left + side]
    assert Tracker().find(np.ascontiguousarray(close)) is not None


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, 2), (2160, 3840)], ids=str)
def test_pictures_without_a_face_have_none_whatever_their_size(shape: tuple[int, int]) -> None:
    page = np.full((*shape, 3), 90, np.uint8)
    assert detect(page) == []
    assert Tracker().find(page) is None


def test_a_grey_picture_with_dozens_of_faces_gives_boxes_inside_it(smile: Picture) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(smile, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    tile = scaled(grey.astype(np.uint8), 120)
    many = np.tile(tile, (6, 8, 1))
    assert 1 < len(detect(many)) <= 100
    assert Tracker().find(many) is not None


def test_landmarks_tell_that_a_region_has_no_face(smile: Picture) -> None:
    page = on_page((smile, 100, 200))
    assert landmarks.find(page, Region(60, 60, 90, 0.0)) is None


def test_the_points_tilt_with_the_head(smile: Picture) -> None:
    height, width = smile.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 20, 1.0)
    page = cv2.warpAffine(smile, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    upright, tilted = Tracker().find(smile), Tracker().find(page.astype(np.uint8))
    assert upright is not None
    assert tilted is not None
    turn = tilted.region().turn - upright.region().turn
    assert turn == pytest.approx(-np.radians(20), abs=0.08)
