"""Defines the voice of each emotion: eSpeak NG's parameters, and effects on its samples."""

from dataclasses import dataclass

import numpy as np

from demo.speech import espeak

SAMPLE_RATE = 16000
LOUDNESS = 0.08  # RMS of every clip's speech

VOICES = {
    "train": (
        "m1", "m3", "m4", "m7", "m8", "Alex", "Andy", "Denis", "Gene", "Gene2", "Henrique",
        "Jacky", "Lee", "Mike", "Reed", "adam", "antonio", "boris", "ed", "edward", "grandpa",
        "ian", "john", "kaukovalta", "max", "norbert", "pablo", "travis",
        "f2", "f4", "f5", "Alicia", "Andrea", "Annie", "Nguyen", "anika", "aunty", "belinda",
        "grandma", "steph", "zac",
    ),
    "val": ("m5", "david", "f1", "shelby"),
    "test": ("m2", "m6", "paul", "f3", "linda"),
}  # fmt: skip


@dataclass(frozen=True)
class Manner:
    """Describes a way to speak: `pitch`, `range` 0..100, `rate` words a minute, the rest 0..1."""

    pitch: int
    range: int
    rate: int
    tremor: float = 0.0  # pitch and loudness waver, 6.5 times a second
    lilt: float = 0.0  # pitch and loudness bounce up and down, three times a second
    rise: float = 0.0  # pitch climbs over the sentence
    harsh: float = 0.0  # distortion with strong upper partials
    bright: float = 0.0  # more treble, and partials an octave above
    dull: float = 0.0  # no treble
    breath: float = 0.0  # noise that follows the voice


MANNERS = {
    "neutral": Manner(pitch=42, range=35, rate=160),
    "angry": Manner(pitch=24, range=55, rate=220, harsh=1.0),
    "happy": Manner(pitch=68, range=95, rate=195, lilt=1.0, bright=1.0),
    "sad": Manner(pitch=22, range=8, rate=110, dull=1.0),
    "worried": Manner(pitch=60, range=25, rate=205, tremor=1.0, breath=1.0),
    "surprise": Manner(pitch=88, range=100, rate=122, rise=1.0),
}

# `demo/words/phrases.py` describes the same emotions in sentences.
SOUNDS = {
    "neutral": {"pitch": "middle", "melody": "even", "rate": "calm", "timbre": "clear"},
    "angry": {"pitch": "middle", "melody": "pounding", "rate": "fast", "timbre": "harsh"},
    "happy": {"pitch": "high", "melody": "bouncing", "rate": "fast", "timbre": "bright"},
    "sad": {"pitch": "low", "melody": "flat", "rate": "slow", "timbre": "muffled"},
    "worried": {"pitch": "high", "melody": "trembling", "rate": "fast", "timbre": "breathy"},
    "surprise": {"pitch": "high", "melody": "rising", "rate": "calm", "timbre": "clear"},
}


def say(text: str, voice: str, emotion: str, rng: np.random.Generator) -> np.ndarray:
    """Return the sentence with an emotion, float32 [N] at 16 kHz, always at the same loudness."""
    manner = MANNERS[emotion]
    request = espeak.Request(
        text=text,
        voice=f"en-us+{voice}",
        rate=round(manner.rate * rng.uniform(0.94, 1.06)),
        pitch=int(np.clip(manner.pitch + rng.integers(-4, 5), 0, 99)),
        range=int(np.clip(manner.range + rng.integers(-5, 6), 0, 99)),
    )
    sound = _resample(espeak.speak(request), espeak.SAMPLE_RATE)
    sound = sound[_voiced_span(sound)]
    sound = _bend_pitch(sound, manner, rng)
    sound = _colour(_breathe(sound, manner, rng), manner)
    return (sound * LOUDNESS / np.sqrt(np.mean(sound**2))).astype(np.float32)


def _resample(sound: np.ndarray, rate: int) -> np.ndarray:
    """Resample from a higher rate to 16 kHz, dropping the frequencies above its limit."""
    length = len(sound) * SAMPLE_RATE // rate
    spectrum = np.fft.rfft(sound)[: length // 2 + 1]
    return np.fft.irfft(spectrum, length) * (length / len(sound))


def _voiced_span(sound: np.ndarray) -> slice:
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return slice(int(loud[0]), int(loud[-1]) + 1)


def _bend_pitch(sound: np.ndarray, manner: Manner, rng: np.random.Generator) -> np.ndarray:
    """Play the samples at a varying speed, for body size, tremor, lilt and rise."""
    time = np.arange(len(sound)) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * rng.uniform(6, 7) * time + rng.uniform(0, 2 * np.pi))
    bounce = np.sin(2 * np.pi * rng.uniform(2.7, 3.3) * time + rng.uniform(0, 2 * np.pi))
    speed = rng.uniform(0.95, 1.05) * (1 + 0.09 * manner.tremor * wave)
    speed *= 1 + 0.13 * manner.lilt * bounce
    speed *= 1 + manner.rise * ((time / time[-1]) ** 1.5 - 0.1)
    played_at = np.cumsum(1 / speed)
    strength = (1 + 0.45 * manner.tremor * wave) * (1 + 0.4 * manner.lilt * bounce)
    return np.interp(np.arange(int(played_at[-1])), played_at, sound * strength)


def _breathe(sound: np.ndarray, manner: Manner, rng: np.random.Generator) -> np.ndarray:
    envelope = np.sqrt(np.convolve(sound**2, np.ones(400) / 400, mode="same"))
    return sound + 0.35 * manner.breath * envelope * rng.standard_normal(len(sound))


def _colour(sound: np.ndarray, manner: Manner) -> np.ndarray:
    level = np.sqrt(np.mean(sound**2))
    if manner.harsh:
        sound = level * np.tanh(6 * manner.harsh * sound / level)
    pitch = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    treble = pitch / np.hypot(pitch, 2500)
    # A sound engineer's exciter adds partials an octave up in the same way.
    spectrum = np.fft.rfft(sound) + 3 * manner.bright * treble * np.fft.rfft(np.abs(sound))
    gain = (1 + manner.bright * treble) / np.hypot(1, manner.dull * (pitch / 1100) ** 2)
    return np.fft.irfft(spectrum * gain, len(sound))
