"""Measures how long a clip takes to become the network's inputs, in this process.

    python -m benchmarks.preprocessing [--out FILE] [--quick]

    ours      the plugin: first frame and sound decoded, resized, resampled and normalised
    original  the original: frame by OpenCV, sound by ffmpeg through a wav file as in moviepy
    pyav      PyAV alone: the first frame and the sound decoded, unchanged
    opencv    OpenCV alone: the first frame, unchanged

All ways take turns with each clip, after one turn that does not count; the median of the rounds
counts. CPU time is that of all threads and child processes. The rows of `frame` cover only the
first frame, which must not take longer in a longer clip.
"""

import io
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from transformers import Wav2Vec2FeatureExtractor

from benchmarks.harness import report
from benchmarks.harness.clips import SECONDS, SIZES, Video, write_clip
from benchmarks.harness.original import SAMPLING_RATE, read_media
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.decode.container import open_container, packets
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.picture.pixels import FirstFrame
from emotion_llama_vllm.model.processing import preprocess
from emotion_llama_vllm.settings import MediaSettings

MODULE = "benchmarks.preprocessing"
LONG = 60
"""The seconds of a clip that shows how the times grow."""
FRAME_SECONDS = (2, 10, LONG)
QUICK_SECONDS = (6,)
ROUNDS, QUICK_ROUNDS = 5, 3
SETTINGS, CONFIG = MediaSettings(), EmotionLlamaConfig()
SIDE = CONFIG.vision.image_size
EXTRACTOR = Wav2Vec2FeatureExtractor(do_normalize=True)

Way = Callable[[Path], object]


def ours(path: Path) -> object:
    """Return pixels uint8 [3, SIDE, SIDE] and normalised sound float32 [samples], our way."""
    clip = decode(path.read_bytes(), size=SIDE, settings=SETTINGS)
    return preprocess(clip.frame[None], clip.metadata(), CONFIG)


def original(path: Path) -> object:
    """Return pixels and normalised sound in the original's way."""
    media = read_media(path, SIDE)
    sound = EXTRACTOR(media.sound, sampling_rate=SAMPLING_RATE, return_tensors="pt")
    return np.array(media.picture), sound


def pyav(path: Path) -> object:
    """Return the first frame as RGB and the sound as recorded."""
    with av.open(io.BytesIO(path.read_bytes()), "r") as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        container.seek(0)
        return picture, [frame.to_ndarray() for frame in container.decode(audio=0)]


def opencv(path: Path) -> npt.NDArray[np.uint8]:
    """Return the first frame as BGR."""
    video = cv2.VideoCapture(str(path))
    _, frame = video.read()
    video.release()
    return np.asarray(frame, np.uint8)


def our_frame(path: Path) -> object:
    """Return the first frame as RGB."""
    with open_container(path.read_bytes()) as container:
        frame = FirstFrame(container)
        for packet in packets(container, SETTINGS.max_timeline_seconds):
            if packet.stream is frame.stream:
                frame.feed(packet)
            if frame.found:
                break
        return frame.rgb()


WAYS: dict[str, Way] = {"ours": ours, "original": original, "pyav": pyav, "opencv": opencv}
FRAME_WAYS: dict[str, Way] = {"ours": our_frame, "opencv": opencv}


def measure(folder: Path, lengths: Sequence[int], rounds: int) -> dict[str, Any]:
    """Return rows for clips of all sizes and some lengths, and rows for their first frames."""
    videos = [Video(size, seconds) for size in SIZES for seconds in lengths]
    clips = {video: write_clip(folder, video, seed) for seed, video in enumerate(videos)}
    rows = [_row(video, WAYS, clip, rounds) for video, clip in clips.items()]
    for row in rows:
        times = row["milliseconds"]
        row["share_of_original"] = round(times["ours"] / times["original"], 3)
    frame = [
        _row(video, FRAME_WAYS, clip, rounds)
        for video, clip in clips.items()
        if video.seconds in FRAME_SECONDS
    ]
    return {"median_of": rounds, "frame_side": SIDE, "rows": rows, "frame": frame}


def _row(video: Video, ways: dict[str, Way], clip: Path, rounds: int) -> dict[str, Any]:
    """Return the median milliseconds of each way with one clip, in wall-clock and CPU time."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(1 + rounds):
        for name, way in ways.items():
            started, cpu = time.perf_counter(), _cpu_seconds()
            way(clip)
            taken[name].append((time.perf_counter() - started, _cpu_seconds() - cpu))
    clock, cpu = (
        {
            name: _median_milliseconds(times[kind] for times in turns[1:])
            for name, turns in taken.items()
        }
        for kind in (0, 1)
    )
    about = {"size": video.size, "seconds": video.seconds}
    return about | {"milliseconds": clock, "cpu_milliseconds": cpu}


def _median_milliseconds(seconds: Iterable[float]) -> float:
    return round(1000 * statistics.median(seconds), 2)


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its finished children."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main() -> None:
    """Run the command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    effort = (QUICK_SECONDS, QUICK_ROUNDS) if options.quick else ((*SECONDS, LONG), ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), *effort)
    report.write(options.out, MODULE, found)


if __name__ == "__main__":
    main()
