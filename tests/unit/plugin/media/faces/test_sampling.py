"""The frames in which a face is sought."""

import itertools

import pytest
from pydantic import ValidationError

from emotion_llama_server.settings import first_error
from emotion_llama_vllm.media.faces.sampling import FEWEST, spread, video_frames
from emotion_llama_vllm.settings import MediaSettings


@pytest.mark.parametrize("most", [FEWEST, 24, 25, 49, 300])
def test_videomae_reads_the_same_frames_of_the_chosen_ones_as_of_all(most: int) -> None:
    for count in (1, 2, 9, 10, 16, 17, 18, 25, 26, 50, 51, 68, 301, 1169, 108_000):
        chosen = spread(count, most)
        assert [chosen[place] for place in video_frames(len(chosen))] == video_frames(count)


@pytest.mark.parametrize(("most", "kept"), [(17, 17), (24, 17), (25, 25), (300, 297)])
def test_a_longer_clip_gives_as_many_frames_as_the_limit_allows(most: int, kept: int) -> None:
    for count in (most + 1, 500, 1169):
        chosen = spread(count, most)
        assert len(chosen) == kept
        assert chosen == sorted(set(chosen))
        assert 0 <= chosen[0] < chosen[-1] < count


@pytest.mark.parametrize("wrong", ["16", "-20", "every", "49.5", ""])
def test_a_wrong_number_of_frames_is_told_with_the_cure(wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MediaSettings.model_validate({"face_frames": wrong})
    assert first_error(caught.value) == "--face-frames: write all, or a number from 17 on."


@pytest.mark.parametrize(("given", "most"), [("all", 100), ("17", 17), (49, 49), ("5000", 100)])
def test_no_more_faces_are_sought_than_crops_are_allowed(given: str | int, most: int) -> None:
    settings = MediaSettings.model_validate({"face_frames": given, "max_face_crops": 100})
    assert settings.most_face_frames == most


def test_a_short_clip_gives_all_frames() -> None:
    assert spread(49, 49) == list(range(49))
    assert spread(1, 49) == [0]


def test_the_others_lie_evenly_between_those_of_videomae() -> None:
    chosen = spread(1000, 49)
    gaps = [later - index for index, later in itertools.pairwise(chosen)]
    assert max(gaps) <= 26
    assert sum(gap == 1 for gap in gaps) == 8
