"""Writes frames and sound as an MP4 file (H.264 and AAC); equal clips give equal bytes."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer

H264 = {
    "preset": "veryfast",
    "bf": "0",
    "flags": "+bitexact",
    # x264's look-ahead sometimes differs from run to run on processors with AVX-512.
    "rc-lookahead": "0",
    # The cap keeps grainy clips small.
    "maxrate": "110k",
    "bufsize": "110k",
}


def write_mp4(
    path: Path, frames: np.ndarray, fps: int, sound: np.ndarray | None, rate: int, crf: int
) -> None:
    """Write frames uint8 [T, H, W, 3] and any sound float32 [N]; `crf` 18 (best) to 35 (worst)."""
    # Dates, library versions and several threads would make the bytes differ.
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=fps, options=H264 | {"crf": str(crf)})
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        audio = _add_audio(container, rate) if sound is not None else None
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(video.encode(frame))
        if sound is not None and audio is not None:
            samples = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = rate, 0, Fraction(1, rate)
            container.mux(audio.encode(samples))
        container.mux(video.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))


def _add_audio(container: OutputContainer, rate: int) -> AudioStream:
    audio = container.add_stream("aac", rate=rate, options={"flags": "+bitexact"}, layout="mono")
    audio.bit_rate = 40_000
    return audio
