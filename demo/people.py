"""Draws persons from a fixed crowd that the splits share out without overlap."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from demo.chance import pick, share
from demo.drawing.pen import Colour

SKINS: dict[str, Colour] = {
    "pale": (250, 220, 198), "fair": (240, 198, 165), "tan": (216, 164, 120),
    "brown": (172, 116, 80), "dark": (134, 88, 62),
}  # fmt: skip
HAIR_COLOURS: dict[str, Colour] = {
    "black": (40, 34, 36), "brown": (104, 66, 40), "blond": (222, 184, 100),
    "red": (176, 74, 36), "grey": (160, 160, 165),
}  # fmt: skip
HAIR_STYLES = ("short", "long", "curly", "tied-up", "parted")
SHIRTS: dict[str, Colour] = {
    "blue": (62, 98, 168), "green": (66, 132, 96), "purple": (120, 84, 156),
    "orange": (216, 130, 60), "white": (232, 232, 228), "navy": (44, 54, 84),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Holds looks by name, and the sizes of the face in units of half its height."""

    skin: str
    hair_style: str
    hair_colour: str
    glasses: bool
    shirt: str
    width: float
    jaw: float
    eye_gap: float
    eye_size: float
    nose: float
    brow: float
    iris: Colour


CROWD = list(product(SKINS, HAIR_STYLES, HAIR_COLOURS, (False, True), SHIRTS))


def person(split: str, rng: np.random.Generator) -> Person:
    """Return a person from this split's part of the crowd, with random face sizes."""
    skin, style, colour, glasses, shirt = pick(rng, share(CROWD, split, "people"))
    return Person(
        skin=skin,
        hair_style=style,
        hair_colour=colour,
        glasses=glasses,
        shirt=shirt,
        width=rng.uniform(0.74, 0.86),
        jaw=rng.uniform(0.55, 0.95),
        eye_gap=rng.uniform(0.31, 0.36),
        eye_size=rng.uniform(0.15, 0.175),
        nose=rng.uniform(0.07, 0.11),
        brow=rng.uniform(0.052, 0.075),
        iris=pick(rng, [(92, 60, 36), (70, 110, 70), (70, 110, 150), (60, 44, 34)]),
    )
