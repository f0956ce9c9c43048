"""Writes the clips that are kept in the repository: `python -m demo.samples`."""

from pathlib import Path

from demo.generate import write_clips
from demo.recipe import recipe

SAMPLES = (
    "happy_face", "sad_face", "surprise_face", "angry_voice", "worried_voice", "sad_words",
    "happy_mixed", "neutral_mixed",
)  # fmt: skip


def main() -> None:
    """Write clips with looks, sentences and voices of the test split, which no training uses."""
    plans = [recipe(name, *name.split("_"), split="test") for name in SAMPLES]
    write_clips(plans, Path(__file__).with_name("clips"))


if __name__ == "__main__":
    main()
