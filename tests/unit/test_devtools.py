"""What the tests themselves rely on."""

import os

from devtools.media import Recipe, make_clip


def test_a_clip_is_made_without_a_change_of_scheduling() -> None:
    before = os.sched_getscheduler(0)
    make_clip(Recipe(video="libsvtav1", audio=None, seconds=0.3))
    assert os.sched_getscheduler(0) == before
