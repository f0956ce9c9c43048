"""Which words belong to which part of a clip."""

import pytest

from emotion_llama_server.transcripts.heard import Heard, Segment, join

SENTENCES = Heard(
    "One. Two. Three.",
    (Segment(0, 2, "One."), Segment(2, 5, "Two."), Segment(6, 7, "Three.")),
)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (0, 7, "One. Two. Three."),
        (0, 2, "One."),
        (0.9, 1.4, "One."),  # within a sentence
        (1, 3, "One. Two."),  # half of the window each
        (1.5, 3.5, "Two."),
        (4, 6.4, ""),
        (5, 6, ""),  # nobody speaks
        (5.5, 6.5, "Three."),
        (7, 9, ""),
        (1, 7, "One. Two. Three."),
    ],
)
def test_a_window_gets_the_sentences_that_are_half_in_it(
    start: float, end: float, words: str
) -> None:
    assert SENTENCES.between(start, end) == words


def test_nothing_was_heard() -> None:
    assert Heard().between(0, 9) == ""
    assert Heard("Words.", None).between(0, 9) == ""


def test_the_whole_clip_gets_the_words_of_the_sound_that_it_hears() -> None:
    assert SENTENCES.first(7) == "One. Two. Three."
    assert SENTENCES.first(5.5) == "One. Two."
    assert Heard("Words.", None).first(1) == "Words."


def test_pieces_follow_one_another() -> None:
    piece = Heard("Hi.", (Segment(0, 1, "Hi."),))
    joined = join([(0, piece), (600, Heard()), (1200, piece)])
    assert joined == Heard("Hi. Hi.", [Segment(0, 1, "Hi."), Segment(1200, 1201, "Hi.")])


def test_a_piece_without_times_leaves_the_whole_without() -> None:
    assert join([(0, SENTENCES), (600, Heard("Four.", None))]) == Heard(
        "One. Two. Three. Four.", None
    )
