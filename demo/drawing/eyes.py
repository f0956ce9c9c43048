"""Draws eyes, brows and glasses.

`side` is -1 for the eye on the left of the picture, and 1 for the other.
"""

import numpy as np

from demo.drawing.expression import Expression
from demo.drawing.pen import INK, WHITE, Pen, curve, oval, shade
from demo.people import HAIR_COLOURS, SKINS, Person

EYE_Y, EYE_DEPTH = -0.08, 0.62


def draw_eye(
    pen: Pen, person: Person, face: Expression, gaze: tuple[float, float], side: int
) -> None:
    """Draw one eye that looks along `gaze` (right, down)."""
    upper, lower = _lids(person, face, side)
    if face.eye_open > 0.1:
        pen.fill(np.concatenate([upper, lower[::-1]]), WHITE, EYE_DEPTH)
        r = 0.56 * person.eye_size
        x = side * person.eye_gap + 0.3 * r * gaze[0]
        y = EYE_Y + r * (0.4 * gaze[1] - 0.12)
        glint = oval(x + 0.3 * r, y - 0.35 * r, 0.2 * r, 0.2 * r, 10)
        iris, pupil = oval(x, y, r, r), oval(x, y, r / 2, r / 2, 16)
        for shape, colour in ((iris, person.iris), (pupil, INK), (glint, WHITE)):
            pen.fill(_between(shape, upper, lower), colour, EYE_DEPTH)
    pen.stroke(upper, INK, 0.045, EYE_DEPTH)
    pen.stroke(lower, shade(SKINS[person.skin], 0.7), 0.018, EYE_DEPTH)


def _lids(person: Person, face: Expression, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the upper and the lower lid, each from left to right: [17, 2] twice."""
    r, x = person.eye_size, side * person.eye_gap
    top = 1.45 * r * max(face.eye_open, 0.0)
    low = r * min(max(face.eye_open, 0.0), 1.2) * (1 - face.lower_lid)
    slope = -side * 0.07 * face.lid_slope
    left, right = (x - r, EYE_Y), (x + r, EYE_Y)
    upper = curve(left, (x - 0.6 * r, EYE_Y - top + slope),
                  (x + 0.6 * r, EYE_Y - top - slope), right)  # fmt: skip
    lower = curve(left, (x - 0.6 * r, EYE_Y + low), (x + 0.6 * r, EYE_Y + low), right)
    return upper, lower


def _between(shape: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Move the shape [N, 2] into the opening between the lids."""
    top = np.interp(shape[:, 0], upper[:, 0], upper[:, 1])
    bottom = np.interp(shape[:, 0], lower[:, 0], lower[:, 1])
    return np.stack([shape[:, 0], np.clip(shape[:, 1], top, np.maximum(top, bottom))], 1)


def draw_brow(pen: Pen, person: Person, face: Expression, side: int) -> None:
    """Draw one brow, dark enough to contrast with any skin."""
    inner = side * (0.17 - face.brow_close), -0.26 - face.brow_inner
    middle = side * person.eye_gap, -0.33 - (face.brow_inner + face.brow_outer) / 2
    outer = side * (person.eye_gap + 0.19), -0.24 - face.brow_outer
    red, green, blue = HAIR_COLOURS[person.hair_colour]
    fade = min(1.0, 60 / (0.3 * red + 0.6 * green + 0.1 * blue))
    if person.skin == "dark":
        fade *= 0.5
    pen.stroke(curve(inner, middle, outer), shade((red, green, blue), fade), person.brow, 0.66)


def draw_glasses(pen: Pen, person: Person) -> None:
    """Draw round glasses, large enough to leave the eyes visible."""
    for side in (-1, 1):
        ring = oval(side * person.eye_gap, -0.06, 0.23, 0.21)
        pen.stroke(np.concatenate([ring, ring[:2]]), INK, 0.03, 0.7)
    gap = person.eye_gap - 0.23
    pen.stroke(curve((-gap, -0.1), (0, -0.14), (gap, -0.1)), INK, 0.03, 0.7)
