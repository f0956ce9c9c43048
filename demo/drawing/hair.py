"""Draws hair behind the head, hair on the forehead, and a head from behind."""

import numpy as np

from demo.drawing.pen import Pen, curve, oval, shade
from demo.people import HAIR_COLOURS, Person


def draw_hair_behind(pen: Pen, person: Person) -> None:
    """Draw the mass of hair behind the head."""
    colour, w = shade(HAIR_COLOURS[person.hair_colour], 0.82), person.width
    if person.hair_style in ("long", "parted"):
        length = 1.5 if person.hair_style == "long" else 0.95
        left = curve((-w - 0.1, length), (-w - 0.35, -0.2), (-w, -1.4), (0, -1.22))
        pen.fill(np.concatenate([left, left[::-1] * (-1, 1)]), colour, -0.2)
    elif person.hair_style == "tied-up":
        pen.fill(oval(0, -1.2, 0.34, 0.3), colour, -0.3)
    elif person.hair_style == "curly":
        for angle in np.linspace(-0.25 * np.pi, 1.25 * np.pi, 15):
            x, y = (w + 0.04) * np.cos(angle), -0.2 - 0.88 * np.sin(angle)
            pen.fill(oval(x, y, 0.24, 0.24, 16), colour, -0.1)


def draw_hair_front(pen: Pen, person: Person) -> None:
    """Draw the hair on the forehead, always above the brows."""
    colour, w = HAIR_COLOURS[person.hair_colour], person.width
    if person.hair_style == "curly":
        for angle in np.linspace(0.12 * np.pi, 0.88 * np.pi, 9):
            x, y = (w - 0.06) * np.cos(angle), -0.14 - 0.8 * np.sin(angle)
            pen.fill(oval(x, y, 0.2, 0.19, 16), colour, 0.05)
        return
    crown = curve((-w, -0.2), (-w - 0.1, -1.2), (0, -1.3), (w + 0.1, -1.2), (w, -0.2))
    pen.fill(np.concatenate([crown, _hairline(person.hair_style, w)]), colour, 0.05)


def _hairline(style: str, w: float) -> np.ndarray:
    """Return the edge of the hair on the forehead, from right to left: [N, 2]."""
    right, temple = w - 0.2, w - 0.04
    if style == "short":
        knots = ((temple, -0.25), (right, -0.85), (0.1, -0.7), (-0.5, -0.8), (-temple, -0.25))
        return curve(*knots)
    if style == "tied-up":
        knots = ((temple, -0.3), (right, -0.95), (0, -0.93), (-right, -0.95), (-temple, -0.3))
        return curve(*knots)
    if style == "long":
        knots = ((temple, 0.1), (right, -0.9), (-0.2, -0.85), (-right, -0.7), (-temple, 0.1))
        return curve(*knots)
    parting = (0.1, -0.95)
    halves = (
        curve((temple, 0.2), (right, -0.6), parting),
        curve(parting, (-right, -0.7), (-temple, 0.2)),
    )
    return np.concatenate(halves)


def draw_back_of_head(pen: Pen, person: Person) -> None:
    """Draw a head that is turned away: only its hair."""
    colour, w = HAIR_COLOURS[person.hair_colour], person.width
    draw_hair_behind(pen, person)
    bottom = 1.4 if person.hair_style == "long" else 0.75
    half = curve((0, bottom), (-w - 0.1, bottom), (-w - 0.25, -0.4), (-w, -1.25), (0, -1.12))
    pen.fill(np.concatenate([half, half[::-1] * (-1, 1)]), colour, 0.05)
    for x in (-0.45, -0.18, 0.12, 0.4):
        strand = curve((0.3 * x, -0.9), (1.3 * x, -0.3), (x, bottom - 0.35))
        pen.stroke(strand, shade(colour, 0.85), 0.03, 0.1)
