"""Converts emotions into the shape of a face, by facial action units (Ekman and Friesen)."""

from dataclasses import dataclass, fields

ACTION_UNITS = {
    "neutral": (),
    "angry": ("AU4", "AU7", "AU23"),
    "happy": ("AU6", "AU12"),
    "sad": ("AU1", "AU15"),
    "worried": ("AU1", "AU4", "AU20"),
    "surprise": ("AU1", "AU2", "AU5", "AU26"),
}


@dataclass(frozen=True)
class Expression:
    """Holds the movable parts; lengths in half face heights, up is positive; the rest 0..1."""

    brow_inner: float = 0.0
    brow_outer: float = 0.0
    brow_close: float = 0.0  # how far the brows are drawn together
    furrow: float = 0.0
    eye_open: float = 0.55
    lid_slope: float = 0.0  # upper lid: positive if its inner end is higher
    lower_lid: float = 0.0
    mouth_corner: float = 0.0
    mouth_open: float = 0.0
    mouth_width: float = 0.26  # half of the width
    lips: float = 1.0  # fullness
    teeth: float = 0.0
    cheek: float = 0.0

    def plus(self, amount: float, **changes: float) -> "Expression":
        """Return this face with `amount` of the changes added."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Expression(**values | {k: values[k] + amount * v for k, v in changes.items()})

    def toward(self, other: "Expression", amount: float) -> "Expression":
        """Return a face between this one and another; `amount` 1 is the other face."""
        return Expression(**{
            f.name: (1 - amount) * getattr(self, f.name) + amount * getattr(other, f.name)
            for f in fields(self)
        })  # fmt: skip


EFFECTS: dict[str, dict[str, float]] = {
    "AU1": {"brow_inner": 0.17, "lid_slope": 0.5},
    "AU2": {"brow_outer": 0.17, "brow_inner": 0.03},
    "AU4": {"brow_inner": -0.15, "brow_outer": -0.06, "brow_close": 0.07, "furrow": 1.0},
    "AU5": {"eye_open": 0.5},
    "AU6": {"cheek": 1.0, "lower_lid": 0.55, "eye_open": -0.1},
    "AU7": {"eye_open": -0.35, "lower_lid": 0.2, "lid_slope": -0.6},
    "AU12": {"mouth_corner": 0.19, "mouth_width": 0.1},
    "AU15": {"mouth_corner": -0.19, "mouth_width": -0.03},
    "AU20": {"mouth_width": 0.13, "mouth_open": 0.13, "teeth": 1.0, "mouth_corner": -0.04},
    "AU23": {"mouth_width": -0.12, "lips": -0.65},
    "AU26": {"mouth_open": 0.36, "mouth_width": -0.1},
}


def expression(action_units: tuple[str, ...], strength: float) -> Expression:
    """Return the face of these action units; `strength` 1 is the full movement."""
    face = Expression()
    for unit in action_units:
        face = face.plus(strength, **EFFECTS[unit])
    return face
