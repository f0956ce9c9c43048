"""Draws a person's head and shoulders with an expression."""

import numpy as np

from demo.drawing.expression import Expression
from demo.drawing.eyes import draw_brow, draw_eye, draw_glasses
from demo.drawing.hair import draw_hair_behind, draw_hair_front
from demo.drawing.mouth import draw_mouth
from demo.drawing.pen import Colour, Pen, curve, oval, shade
from demo.people import SHIRTS, SKINS, Person


def draw_face(pen: Pen, person: Person, face: Expression, gaze: tuple[float, float]) -> None:
    """Draw the head and shoulders, back to front; `gaze` is (right, down) in -1..1."""
    skin = SKINS[person.skin]
    draw_hair_behind(pen, person)
    draw_body(pen, person)
    draw_ears(pen, person)
    pen.fill(head_outline(person), skin, depth=0.05)
    _draw_cheeks(pen, face, skin)
    _draw_nose(pen, person, skin)
    for side in (-1, 1):
        draw_eye(pen, person, face, gaze, side)
    draw_mouth(pen, face, skin)
    _draw_wrinkles(pen, face, skin)
    draw_hair_front(pen, person)
    for side in (-1, 1):
        draw_brow(pen, person, face, side)
    if person.glasses:
        draw_glasses(pen, person)


def draw_body(pen: Pen, person: Person) -> None:
    """Draw the shoulders and the neck."""
    left = curve((-1.6, 2.6), (-1.5, 1.35), (-0.4, 1.2))
    right = curve((0.4, 1.2), (1.5, 1.35), (1.6, 2.6))
    pen.fill(np.concatenate([left, right]), SHIRTS[person.shirt], depth=-0.1)
    neck = np.array([(-0.34, 0.6), (0.34, 0.6), (0.36, 1.22), (0, 1.42), (-0.36, 1.22)])
    pen.fill(neck, shade(SKINS[person.skin], 0.82), depth=-0.05)


def draw_ears(pen: Pen, person: Person) -> None:
    """Draw both ears."""
    for side in (-1, 1):
        ear = oval(side * person.width, 0.08, 0.1, 0.19)
        pen.fill(ear, shade(SKINS[person.skin], 0.9), depth=-0.05)


def head_outline(person: Person) -> np.ndarray:
    """Return the head's outline [64, 2]: round above, narrower to the chin by the person's jaw."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x, y = np.cos(angle), np.sin(angle)
    narrowing = 1 - (0.28 - 0.2 * person.jaw) * np.clip(y, 0, 1) ** 1.5
    return np.stack([person.width * narrowing * x, y], 1)


def _draw_cheeks(pen: Pen, face: Expression, skin: Colour) -> None:
    if face.cheek <= 0:
        return
    (red, green, blue), amount = skin, min(face.cheek, 1.0)
    paler = 1 - 0.14 * amount
    blush = (min(255, round(red + 14 * amount)), int(green * paler), int(blue * paler))
    for side in (-1, 1):
        pen.fill(oval(side * 0.44, 0.26 - 0.04 * face.cheek, 0.17, 0.12), blush, 0.5)
        fold = curve((side * 0.2, 0.2), (side * 0.4, 0.3), (side * 0.46, 0.5))
        pen.stroke(fold, shade(skin, 1 - 0.2 * amount), 0.022)


def _draw_nose(pen: Pen, person: Person, skin: Colour) -> None:
    w = person.nose
    nose = curve((-w, 0.2), (-w, 0.3), (0, 0.29), (w, 0.3), (w, 0.2))
    pen.stroke(nose, shade(skin, 0.76), 0.03, depth=0.8)


def _draw_wrinkles(pen: Pen, face: Expression, skin: Colour) -> None:
    """Draw creases between lowered brows, and on the forehead above raised ones."""
    if face.furrow > 0:
        dark = shade(skin, 1 - 0.4 * min(face.furrow, 1.0))
        for side in (-1, 1):
            crease = curve((side * 0.05, -0.31), (side * 0.035, -0.17))
            pen.stroke(crease, dark, 0.028, depth=0.7)
    if face.brow_outer > 0.08:
        for y in (-0.78, -0.7):
            crease = curve((-0.26, y), (0, y - 0.04), (0.26, y))
            pen.stroke(crease, shade(skin, 0.8), 0.02)
