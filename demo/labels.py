"""Defines the names that clips are sorted by."""

LABELS = ("neutral", "angry", "happy", "sad", "worried", "surprise")
FAMILIES = ("face", "voice", "words", "mixed", "apex")
SPLITS = ("train", "val", "test")
