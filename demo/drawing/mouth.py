"""Draws the mouth."""

import numpy as np

from demo.drawing.expression import Expression
from demo.drawing.pen import WHITE, Colour, Pen, curve, oval

LIP: Colour = (182, 78, 80)
LIP_ON_DARK: Colour = (226, 128, 122)
INSIDE: Colour = (92, 26, 32)
TONGUE: Colour = (206, 96, 100)
GAP_LINE: Colour = (150, 138, 136)
MOUTH_Y = 0.57


def draw_mouth(pen: Pen, face: Expression, skin: Colour) -> None:
    """Draw the lips, and the teeth or tongue between them."""
    gap = max(face.mouth_open, 0.0)
    upper, lower = _lips(face, gap)
    if gap > 0.02:
        inside = np.concatenate([upper, lower[::-1]])
        pen.fill(inside, INSIDE)
        if face.teeth > 0:
            pen.fill(inside * (0.94, 1), WHITE)
            pen.stroke((upper + lower)[2:-2] / 2, GAP_LINE, 0.016)
        else:
            bottom = lower[len(lower) // 2, 1]
            pen.fill(oval(0, bottom - 0.3 * gap, 0.5 * face.mouth_width, 0.25 * gap), TONGUE)
    colour = LIP if sum(skin) > 400 else LIP_ON_DARK
    thickness = 0.012 + 0.065 * max(face.lips, 0.2)
    pen.stroke(upper, colour, thickness)
    pen.stroke(lower, colour, thickness)


def _lips(face: Expression, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the upper and lower lip, each from left to right: [17, 2] twice."""
    w = face.mouth_width
    corner = MOUTH_Y - face.mouth_corner
    middle = MOUTH_Y + 0.75 * face.mouth_corner
    top, bottom = middle - 0.65 * gap, middle + 1.15 * gap
    left, right = (-w, corner), (w, corner)
    upper = curve(left, (-0.6 * w, top), (0.6 * w, top), right)
    return upper, curve(left, (-0.6 * w, bottom), (0.6 * w, bottom), right)
