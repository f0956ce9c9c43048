"""The shipped checkpoint, its card and its committed evaluation belong together."""

from demo.card import CHECKPOINT, card, read_found
from demo.evaluate import TARGETS, missed
from demo.labels import LABELS
from demo.numbers import LEAST_RIGHT, MOST_ERROR
from emotion_llama_vllm.checkpoint.doctor import examine_checkpoint
from emotion_llama_vllm.checkpoint.served import read_served

FOUND, NUMBERS = read_found()


def test_the_committed_evaluation_reaches_its_targets() -> None:
    assert FOUND["clips"] >= 1200
    assert missed(FOUND["measures"]) == []
    assert sum(map(sum, FOUND["confusion"])) == FOUND["clips"]
    right = sum(FOUND["confusion"][i][i] for i in range(len(LABELS)))
    assert round(right / FOUND["clips"], 4) == FOUND["measures"]["emotion"]


def test_the_committed_numbers_reach_theirs() -> None:
    assert NUMBERS["clips"] >= 1000
    assert NUMBERS["calibration_error"] <= MOST_ERROR
    assert NUMBERS["changing_clips"] >= 60
    assert NUMBERS["windows_right"] >= LEAST_RIGHT


def test_a_missed_target_is_noticed() -> None:
    for name, (direction, bar) in TARGETS.items():
        worse = bar - 0.01 if direction == "at least" else bar + 0.01
        assert missed(FOUND["measures"] | {name: worse}) == [name]


def test_the_card_shows_the_evaluation() -> None:
    text = (CHECKPOINT / "README.md").read_text(encoding="utf-8")
    assert text == card(FOUND, NUMBERS, read_served("demo", str(CHECKPOINT)).card.description)
    assert "demonstration" in text.splitlines()[0]


def test_the_checkpoint_is_small_and_whole() -> None:
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) < 15 * 10**6
    assert all(finding.ok for finding in examine_checkpoint(CHECKPOINT))
