"""Calls eSpeak NG as a pure function: the same request always gives the same samples."""

import _ctypes
import ctypes
from dataclasses import dataclass

import espeakng_loader
import numpy as np

SYNCHRONOUS, CHARS_UTF8 = 2, 1
RATE, PITCH, RANGE = 1, 3, 4  # espeak_PARAMETER
SAMPLE_RATE = 22050

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Request:
    """Describes a text and its voice: `rate` in words a minute, `pitch` and `range` 0 to 100."""

    text: str
    voice: str
    rate: int
    pitch: int
    range: int


def speak(request: Request) -> np.ndarray:
    """Return the spoken text, float32 [N] in -1..1 at 22.05 kHz; not thread-safe."""
    # The library keeps phases and counters of earlier sentences in static variables that no call
    # resets, and its breath noise comes from C's rand(). Only a fresh load (5 ms) and a seed for
    # rand() make the samples depend on the request alone.
    ctypes.CDLL(None).srand(1)
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    try:
        return _synthesise(library, request)
    finally:
        library.espeak_Terminate()
        _ctypes.dlclose(library._handle)


def _synthesise(library: ctypes.CDLL, request: Request) -> np.ndarray:
    chunks: list[np.ndarray] = []

    @_Callback
    def collect(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _: int | None) -> int:
        if samples and count:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    data_path = espeakng_loader.get_data_path().encode()
    if library.espeak_Initialize(SYNCHRONOUS, 0, data_path, 0) != SAMPLE_RATE:
        raise RuntimeError("eSpeak NG did not start")
    library.espeak_SetSynthCallback(collect)
    if library.espeak_SetVoiceByName(request.voice.encode()):
        raise ValueError(f"eSpeak NG has no voice {request.voice!r}")
    for parameter, value in ((RATE, request.rate), (PITCH, request.pitch), (RANGE, request.range)):
        library.espeak_SetParameter(parameter, value, 0)
    text = request.text.encode() + b"\0"
    library.espeak_Synth(text, len(text), 0, 1, 0, CHARS_UTF8, None, None)
    return np.concatenate(chunks).astype(np.float32) / 32768
