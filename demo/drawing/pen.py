"""Draws smooth shapes of a turned head into a picture."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
INK: Colour = (40, 28, 30)
WHITE: Colour = (250, 250, 246)


@dataclass(frozen=True)
class Pose:
    """Holds the head's angles in radians, and its centre and scale in parts of the side."""

    yaw: float
    nod: float
    roll: float
    x: float
    y: float
    scale: float

    def project(self, points: np.ndarray, depth: float) -> np.ndarray:
        """Project head points [N, 2] (half face heights, y down) to parts of the picture's side.

        `depth` is the distance in front of the head's axis: near points move when the head turns.
        """
        x = points[:, 0] * np.cos(self.yaw) + depth * np.sin(self.yaw)
        y = points[:, 1] * np.cos(self.nod) + depth * np.sin(self.nod)
        c, s = np.cos(self.roll), np.sin(self.roll)
        return np.stack([c * x - s * y, s * x + c * y], 1) * self.scale + (self.x, self.y)


class Pen:
    """Draws on a copy of a picture at twice the final size: halving it smooths the edges.

    With `only`, everything gets that one colour: a silhouette.
    """

    def __init__(self, backdrop: Image.Image, pose: Pose, only: Colour | None = None) -> None:
        self.pose = pose
        self.only = only
        self.image = backdrop.copy()
        self.draw = ImageDraw.Draw(self.image)

    def picture(self) -> Image.Image:
        """Return the finished RGB picture, half as large as the backdrop."""
        return self.image.reduce(2)

    def fill(self, points: np.ndarray, colour: Colour, depth: float = 0.6) -> None:
        """Fill an outline through head points [N, 2]."""
        self.draw.polygon(self._pixels(points, depth), fill=self.only or colour)

    def stroke(self, points: np.ndarray, colour: Colour, width: float, depth: float = 0.6) -> None:
        """Draw a line with round ends through head points [N, 2]; `width` in half face heights."""
        pixels, colour = self._pixels(points, depth), self.only or colour
        thickness = max(2, round(width * self.pose.scale * self.image.width))
        self.draw.line(pixels, fill=colour, width=thickness, joint="curve")
        for x, y in (pixels[0], pixels[-1]):
            r = thickness / 2 - 0.5
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def _pixels(self, points: np.ndarray, depth: float) -> list[tuple[float, float]]:
        return [tuple(p) for p in (self.pose.project(points, depth) * self.image.width).tolist()]


def oval(x: float, y: float, rx: float, ry: float, count: int = 32) -> np.ndarray:
    """Return an ellipse's outline [count, 2]."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)


def curve(*knots: tuple[float, float], count: int = 17) -> np.ndarray:
    """Return a Bezier curve [count, 2] from the first knot to the last."""
    points = np.array(knots, float)[None].repeat(count, 0)
    t = np.linspace(0, 1, count)[:, None, None]
    while points.shape[1] > 1:
        points = points[:, :-1] * (1 - t) + points[:, 1:] * t
    return points[:, 0]


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour made darker (factor below 1) or lighter (above 1)."""
    r, g, b = (min(255, round(c * factor)) for c in colour)
    return r, g, b
