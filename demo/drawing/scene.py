"""Draws a person's surroundings: the backdrop, the light and the camera's effects."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from demo.chance import pick
from demo.drawing.pen import Colour

BACKDROPS: dict[str, Colour] = {
    "blue": (150, 188, 214), "green": (158, 200, 166), "yellow": (240, 218, 150),
    "pink": (236, 184, 190), "grey": (186, 188, 192), "brown": (176, 146, 118),
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """Holds a backdrop by name with `spots` (x, y, radius), its light and the camera's faults.

    Lengths are in parts of the picture's side, but `blur` is in pixels; `noise` is in grey levels.
    """

    backdrop: str
    spots: tuple[tuple[float, float, float], ...]
    light: float
    warmth: float
    side: float
    blur: float
    noise: float


def scene(rng: np.random.Generator) -> Scene:
    """Return a random scene."""
    return Scene(
        backdrop=pick(rng, list(BACKDROPS)),
        spots=tuple(tuple(rng.uniform((0, 0, 0.05), (1, 1, 0.25))) for _ in range(4)),
        light=rng.uniform(0.75, 1.1),
        warmth=rng.uniform(-0.08, 0.08),
        side=rng.uniform(-0.25, 0.25),
        blur=max(0.0, rng.uniform(-0.5, 0.9)),
        noise=rng.uniform(0, 5),
    )


def draw_backdrop(scene: Scene, size: int) -> Image.Image:
    """Return the RGB picture [size, size] behind the person."""
    colour = np.array(BACKDROPS[scene.backdrop])
    fade = np.linspace(1.08, 0.88, size)[:, None, None]
    wall = np.clip(np.ones((size, size, 1)) * fade * colour, 0, 255).astype(np.uint8)
    image = Image.fromarray(wall)
    draw = ImageDraw.Draw(image)
    lighter = tuple(int(c) for c in np.minimum(colour * 1.06, 255))
    for x, y, radius in scene.spots:
        box = [size * v for v in (x - radius, y - radius, x + radius, y + radius)]
        draw.ellipse(box, fill=lighter)
    return image.filter(ImageFilter.BoxBlur(4))


class Camera:
    """Films a scene: adds light, blur and noise to drawn pictures of `size` pixels a side."""

    def __init__(self, scene: Scene, size: int, rng: np.random.Generator) -> None:
        self.blur = scene.blur
        ramp = 1 + scene.side * np.linspace(-1, 1, size)[None, :, None]
        tint = np.array([1 + scene.warmth, 1, 1 - scene.warmth])
        self.light = (scene.light * ramp * tint).astype(np.float32)
        self.grain = (scene.noise * rng.standard_normal((size, size, 1))).astype(np.float32)
        self.rng = rng

    def film(self, picture: Image.Image) -> np.ndarray:
        """Return the frame of this picture: uint8 [size, size, 3]."""
        if self.blur:
            picture = picture.filter(ImageFilter.BoxBlur(self.blur))
        # One grain shifted from frame to frame looks like new noise, at a tenth of the cost.
        shift = tuple(self.rng.integers(0, self.grain.shape[0], 2))
        frame = np.asarray(picture) * self.light + np.roll(self.grain, shift, (0, 1))
        return np.clip(frame, 0, 255).astype(np.uint8)
