"""Predicts a machine's requests a second, and how many requests fit at a time.

    python -m benchmarks.paper.paper_model [--out FILE]

It predicts the 7B on GPUs from their data sheets, and compares the same arithmetic with the
measurement of the mid-size checkpoint on a CPU, if `benchmarks/results/throughput.json` exists.

`roofline` is the arithmetic of a request's four terms, `data_sheets` holds the GPUs' numbers.

It leaves out costs, so that a machine is slower: decoding the clip and HTTP, which other processes
do; scheduling, sampling and data between two kernels; norms, softmax and everything else that is no
matrix product; the memory of CUDA's context and graphs. It leaves out savings, so that a machine is
faster: ViTs and prompts that are computed together, or along with a decode step, and so share a
fetch of the weights.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from benchmarks.harness import report
from benchmarks.paper.calibration import Calibration
from benchmarks.paper.data_sheets import BANDWIDTH_REACHED, FLOPS_REACHED, GPUS, Gpu
from benchmarks.paper.roofline import (
    FLOAT32_BYTES,
    Speed,
    hearing,
    reading,
    seeing,
    writing,
)
from devtools.random_checkpoint import full_config, midsize_config
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.footprint import (
    ANSWER_TOKENS,
    MEMORY_SHARE,
    TEXT_TOKENS,
    Footprint,
    cached_per_token,
    sound_bytes,
)

MAX_NUM_SEQS = 64
MAX_AUDIO_SECONDS = 120

SHORT_AUDIO_SECONDS = 12
"""The `--max-audio-seconds` that is enough for the clips of `benchmarks.harness.clips`."""
RANDOM_TEXT_TOKENS = 42
"""The tokens of the load tool's first prompt with the tokenizer of `devtools.random_checkpoint`."""


class Workload(BaseModel):
    """Describes the requests to predict."""

    clip_seconds: float = 6
    text_tokens: int = TEXT_TOKENS
    """The tokens of a prompt beside the clip's embeddings."""
    answer_tokens: int = ANSWER_TOKENS
    questions_per_clip: int = 1
    """The questions about each clip; after the first, the clip's part of the prompt is cached."""

    def prompt_tokens(self, config: EmotionLlamaConfig) -> int:
        """Return the number of tokens of the whole prompt."""
        return config.embeddings_per_clip + self.text_tokens


class Terms(BaseModel):
    """Holds the machine's seconds for a request; a clip's seconds are divided by its questions."""

    vision: float
    hearing: float
    prefill: float
    decode: float
    """The request's share of the steps that a batch computes together."""

    @property
    def all(self) -> float:
        return self.vision + self.hearing + self.prefill + self.decode


class Prediction(BaseModel):
    """Holds the prediction for `batch` requests at a time."""

    batch: int
    seconds_per_request: float
    """The machine's seconds for a request; in a batch of one, also the request's duration."""
    requests_per_second: float
    output_tokens_per_second: float
    seconds_per_step: float
    """The seconds between two tokens of an answer."""
    terms: Terms


def predict(config: EmotionLlamaConfig, speed: Speed, workload: Workload, batch: int) -> Prediction:
    """Predict a batch that is always full."""
    prompt, questions = workload.prompt_tokens(config), workload.questions_per_clip
    before = prompt - workload.text_tokens
    first = speed.seconds(reading(config, prompt))
    others = (questions - 1) * speed.seconds(reading(config, workload.text_tokens, before))
    step = speed.seconds(writing(config, batch, prompt + workload.answer_tokens / 2))
    terms = Terms(
        vision=speed.seconds(seeing(config)) / questions,
        hearing=speed.float32_seconds(hearing(config, workload.clip_seconds)) / questions,
        prefill=(first + others) / questions,
        decode=(workload.answer_tokens - 1) * step / batch,  # the prefill gives the first token
    )
    return Prediction(
        batch=batch,
        seconds_per_request=terms.all,
        requests_per_second=1 / terms.all,
        output_tokens_per_second=workload.answer_tokens / terms.all,
        seconds_per_step=step,
        terms=terms,
    )


def clips_profiled(config: EmotionLlamaConfig, gpu: Gpu) -> int:
    """Return the number of clips with the longest sound that vLLM computes together at its start.

    The attention cache cannot use their memory (`MultiModalBudget`).
    """
    return min(MAX_NUM_SEQS, max(1, gpu.batched_tokens // config.embeddings_per_clip))


def kv_bytes_per_request(config: EmotionLlamaConfig, speed: Speed, workload: Workload) -> int:
    """Return the bytes of a request's attention cache at its end."""
    tokens = workload.prompt_tokens(config) + workload.answer_tokens
    return tokens * cached_per_token(config) * speed.kv_bytes


def live_requests(
    config: EmotionLlamaConfig, gpu: Gpu, workload: Workload, audio_seconds: float
) -> int:
    """Return how many requests fit with their whole attention cache; 0 if it does not start."""
    activations = sound_bytes(config, clips_profiled(config, gpu), audio_seconds)
    left = gpu.gibibytes * 2**30 * MEMORY_SHARE - Footprint(config).weights() - activations
    return max(0, int(left / kv_bytes_per_request(config, gpu.speed, workload)))


def verdict(config: EmotionLlamaConfig, gpu: Gpu, workload: Workload) -> str:
    """Return one sentence on whether the 7B's configuration starts."""
    memory = gpu.gibibytes * MEMORY_SHARE
    weights = Footprint(config).weights() / 2**30
    if weights > memory:
        return f"Not servable: {weights:.1f} GiB of weights in {memory:.1f} GiB."
    clips = clips_profiled(config, gpu)
    activations = sound_bytes(config, clips, MAX_AUDIO_SECONDS) / 2**30
    needs = (
        f"{weights:.1f} GiB of weights, and {activations:.1f} GiB for {clips} clips with "
        f"--max-audio-seconds {MAX_AUDIO_SECONDS}, in {memory:.1f} GiB."
    )
    live = live_requests(config, gpu, workload, MAX_AUDIO_SECONDS)
    return f"{'Starts' if live else 'Needs a smaller --max-audio-seconds'}: {needs}"


def describe(config: EmotionLlamaConfig, gpu: Gpu) -> dict[str, Any]:
    """Return a GPU's prediction, with every clip new and with four questions about each."""
    once = Workload()
    live = {
        seconds: live_requests(config, gpu, once, seconds)
        for seconds in (MAX_AUDIO_SECONDS, SHORT_AUDIO_SECONDS)
    }
    most = max(live.values())
    batches = sorted({batch for batch in (1, 16, MAX_NUM_SEQS, most) if 0 < batch <= most})

    def predictions(workload: Workload) -> list[dict[str, Any]]:
        return [rounded(predict(config, gpu.speed, workload, batch)) for batch in batches]

    return {
        **gpu.model_dump(),
        "verdict": verdict(config, gpu, once),
        "live_requests_by_max_audio_seconds": live,
        "every_clip_new": predictions(once),
        "four_questions_per_clip": predictions(Workload(questions_per_clip=4)),
    }


def rounded(prediction: Prediction) -> dict[str, Any]:
    """Round to four digits, because it is an estimate."""

    def shorten(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shorten(inner) for name, inner in value.items()}
        return float(f"{value:.4g}") if isinstance(value, float) else value

    return shorten(prediction.model_dump())


MEASURED = {"server_one_by_one": (1, 1), "server": (16, 1), "server_4_questions": (16, 4)}
"""The ways of `benchmarks.throughput`: requests at a time, and questions about each clip."""


class Measured(BaseModel):
    """Holds the measurement of `throughput.json`: the mid-size checkpoint on a CPU."""

    calibration: Calibration
    new_tokens: int
    """The number of tokens of each answer."""
    seconds_per_request: dict[str, float]
    """Maps each way to the duration of its run divided by its requests."""

    @property
    def speed(self) -> Speed:
        c = self.calibration
        size = FLOAT32_BYTES if c.dtype == "float32" else 2
        return Speed(
            flops=c.matmul_gflops * 1e9,
            float32_flops=c.float32_gflops * 1e9,
            bandwidth=c.bandwidth_gb_s * 1e9,
            overlaps=False,
            weight_bytes=size,
            kv_bytes=size,
        )


def check(measured: Measured) -> dict[str, dict[str, Any]]:
    """Return the prediction for each measured way, and its ratio to the measured time."""
    found: dict[str, dict[str, Any]] = {}
    for name, (batch, questions) in MEASURED.items():
        if name not in measured.seconds_per_request:
            continue  # a quick run has not measured it
        workload = Workload(
            text_tokens=RANDOM_TEXT_TOKENS,
            answer_tokens=measured.new_tokens,
            questions_per_clip=questions,
        )
        prediction = predict(midsize_config(), measured.speed, workload, batch)
        ratio = prediction.seconds_per_request / measured.seconds_per_request[name]
        found[name] = {"predicted_over_measured": round(ratio, 3), **rounded(prediction)}
    return found


def describe_all(measured: Path) -> dict[str, Any]:
    """Return all predictions, and the comparison if there is a measurement."""
    config, speed, once = full_config(), GPUS[0].speed, Workload()
    found: dict[str, Any] = {
        "flops_reached": FLOPS_REACHED,
        "bandwidth_reached": BANDWIDTH_REACHED,
        "workload": once.model_dump(),
        "weights_gib": round(Footprint(config).weights() / 2**30, 2),
        "kv_kib_per_token": cached_per_token(config) * speed.kv_bytes / 2**10,
        "kv_mib_per_request": kv_bytes_per_request(config, speed, once) / 2**20,
        "gpus": [describe(config, gpu) for gpu in GPUS],
    }
    if measured.exists():
        found["check"] = check(Measured.model_validate_json(measured.read_bytes()))
    return found


def main() -> None:
    """Run the command line."""
    module = "benchmarks.paper.paper_model"
    parser = report.parser(module, __doc__)
    parser.add_argument(
        "--measured", type=Path, default=report.RESULTS / "throughput.json", help="[%(default)s]"
    )
    options = parser.parse_args()
    report.write(options.out, module, describe_all(options.measured))


if __name__ == "__main__":
    main()
