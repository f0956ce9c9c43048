"""Makes a clip from its recipe: frames, sound and the row that describes it."""

import json
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from demo.drawing.expression import ACTION_UNITS, Expression, expression
from demo.drawing.face import draw_body, draw_ears, draw_face
from demo.drawing.hair import draw_back_of_head
from demo.drawing.motion import Motion, speech_envelope, strength
from demo.drawing.pen import Colour, Pen, Pose
from demo.drawing.scene import Camera, draw_backdrop
from demo.recipe import DARK, OPEN, TURNED, Act, Recipe
from demo.speech.voice import SAMPLE_RATE, SOUNDS, say
from demo.words.questions import emotion_question

SIZE, FPS = 224, 12
SHORTEST, LONGEST = 2.0, 4.0  # seconds for each act
SHADOW: Colour = (22, 22, 28)
HISS = 0.002
TURN = 0.25  # seconds in which a face changes from one emotion to another


@dataclass(frozen=True)
class Clip:
    """Holds frames uint8 [T, SIZE, SIZE, 3] at FPS, sound float32 [N] at 16 kHz, and a row."""

    frames: np.ndarray
    sound: np.ndarray
    row: dict[str, str]


def make_clip(recipe: Recipe) -> Clip:
    """Make the clip of this recipe; the same recipe always gives the same clip."""
    sound = clip_sound(recipe)
    return Clip(clip_frames(recipe, sound), sound, clip_row(recipe))


def clip_sound(recipe: Recipe) -> np.ndarray:
    """Return the acts' sentences one after the other, each within its time, over a little hiss."""
    rng = recipe.stream("sound")
    parts = []
    for act in recipe.acts:
        speech = say(act.sentence, recipe.voice, act.voice, rng)
        speech = np.concatenate([np.zeros(int(rng.uniform(0.15, 0.35) * SAMPLE_RATE)), speech])
        seconds = float(np.clip(len(speech) / SAMPLE_RATE + 0.25, SHORTEST, LONGEST))
        if recipe.change_at is not None and not parts:
            seconds = recipe.change_at
        parts.append(_fit(speech, round(seconds * FPS) * SAMPLE_RATE // FPS))
    sound = np.concatenate(parts)
    hiss = HISS * rng.uniform(0.2, 1.0) * rng.standard_normal(len(sound))
    return (sound + hiss).astype(np.float32)


def _fit(speech: np.ndarray, length: int) -> np.ndarray:
    """Cut the speech (with a short fade) to `length` samples, or pad it with silence."""
    fade = np.clip((length - np.arange(len(speech))) / (0.05 * SAMPLE_RATE), 0, 1)
    speech = (speech * fade)[:length]
    return np.pad(speech, (0, length - len(speech)))


def clip_frames(recipe: Recipe, sound: np.ndarray) -> np.ndarray:
    """Return the filmed frames, uint8 [T, SIZE, SIZE, 3]."""
    rng = recipe.stream("frames")
    talk = speech_envelope(sound, SAMPLE_RATE, FPS)
    motion = Motion(rng, len(talk) / FPS)
    camera = Camera(recipe.scene, SIZE, rng)
    backdrop = draw_backdrop(recipe.scene, 2 * SIZE)
    faces = [expression(ACTION_UNITS[act.face], rng.uniform(0.85, 1.1)) for act in recipe.acts]
    frames = []
    for number, opening in enumerate(talk):
        time = number / FPS
        shown = _face_at(recipe, faces, time, time * FPS / len(talk))
        face = _speaking(shown, opening, motion.lids(time))
        picture = _draw(backdrop, motion.pose(time), recipe, face, tuple(motion.gaze))
        frames.append(camera.film(picture))
    return np.stack(frames)


def _face_at(recipe: Recipe, faces: list[Expression], time: float, moment: float) -> Expression:
    """Return the face at a time, which `moment` gives as a share of the clip's length.

    A change of face is complete when the second act begins.
    """
    if recipe.change_at is None:
        return Expression().toward(faces[0], strength(moment, recipe.apex))
    return faces[1].toward(faces[0], float(np.clip((recipe.change_at - time) / TURN, 0, 1)))


def _speaking(face: Expression, opening: float, lids: float) -> Expression:
    blinking = face.plus(1, eye_open=(lids - 1) * face.eye_open)
    return blinking.plus(opening, mouth_open=0.17, mouth_width=-0.03)


def _draw(
    backdrop: Image.Image,
    pose: Pose,
    recipe: Recipe,
    face: Expression,
    gaze: tuple[float, float],
) -> Image.Image:
    view = recipe.acts[0].view
    pen = Pen(backdrop, pose, only=SHADOW if view == DARK else None)
    if view == TURNED:
        draw_body(pen, recipe.person)
        draw_ears(pen, recipe.person)
        draw_back_of_head(pen, recipe.person)
    else:
        draw_face(pen, recipe.person, face, gaze)
    return pen.picture()


def clip_row(recipe: Recipe) -> dict[str, str]:
    """Return the clip's row of labels.csv."""
    first = recipe.acts[0]
    facts = act_facts(first, recipe)
    if recipe.apex is not None:
        facts["apex"] = round(recipe.apex, 3)
    if recipe.change_at is not None:
        facts["then"] = {"at": recipe.change_at} | act_facts(recipe.acts[1], recipe)
    return {
        "name": recipe.name,
        "label": first.label,
        "family": recipe.family,
        "transcript": first.sentence if recipe.with_transcript else "",
        "question": emotion_question(recipe.stream("question")),
        "facts": json.dumps(facts),
    }


def act_facts(act: Act, recipe: Recipe) -> dict:
    """Return the visible and audible facts of an act; facts that the view hides are left out."""
    looks = asdict(recipe.person)
    visible = {OPEN: ("hair_style", "hair_colour", "glasses", "shirt"),
               TURNED: ("hair_style", "hair_colour", "shirt"), DARK: ()}[act.view]  # fmt: skip
    return {
        "emotion": act.label,
        "view": act.view,
        "action_units": list(ACTION_UNITS[act.face]),
        "voice": SOUNDS[act.voice],
        "words": act.words,
        "person": {name: looks[name] for name in visible},
        "backdrop": recipe.scene.backdrop,
    }
