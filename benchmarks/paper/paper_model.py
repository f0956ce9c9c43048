"""What a machine should reach, on paper: requests a second, and how many at a time.

    python -m benchmarks.paper.paper_model [--out FILE]

predicts the 7B on GPUs from their data sheets, and puts the same arithmetic beside what was
measured of the mid-size checkpoint on a CPU, where `benchmarks/results/throughput.json` is.

`roofline` is the arithmetic of a request's four terms, `data_sheets` holds the GPUs' numbers.

Left out, so that a machine reaches less: decoding the clip and HTTP, which other processes do;
scheduling, sampling and what passes between two kernels; norms, softmax and all else that is no
matrix product; the memory of CUDA's context and graphs. Left out, so that it reaches more: ViTs and
prompts that are computed together, or along with a decode step, and so share a fetch of the
weights.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from benchmarks import report
from benchmarks.paper.calibration import Calibration
from benchmarks.paper.data_sheets import BANDWIDTH_REACHED, FLOPS_REACHED, GPUS, Gpu
from benchmarks.paper.roofline import (
    FLOAT32_BYTES,
    Speed,
    cached_per_token,
    hearing,
    reading,
    seeing,
    writing,
)
from devtools.random_checkpoint import full_config, midsize_config, parameters
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.model.audio import MOST_SAMPLES, convolution_bytes

# As in configs/emotion-llama-7b.yaml.
MEMORY_SHARE = 0.92
MAX_NUM_SEQS = 64
MAX_AUDIO_SECONDS = 120

SHORT_AUDIO_SECONDS = 12
"""`--max-audio-seconds` that is enough for the clips of `benchmarks.clips`."""
RANDOM_TEXT_TOKENS = 42
"""Of the load tool's first prompt by the tokenizer of `devtools.random_checkpoint`."""


class Workload(BaseModel):
    """What is asked for."""

    clip_seconds: float = 6
    text_tokens: int = 50
    """Of a prompt, beside the clip's embeddings."""
    answer_tokens: int = 128
    questions_per_clip: int = 1
    """For all but the first the clip's part of the prompt is cached: the text alone is read."""

    def prompt_tokens(self, config: EmotionLlamaConfig) -> int:
        """The whole prompt."""
        return config.embeddings_per_clip + self.text_tokens


class Terms(BaseModel):
    """Seconds of the machine for a request; those for a clip are spread over its questions."""

    vision: float
    hearing: float
    prefill: float
    decode: float
    """The request's share of the steps that a batch makes together."""

    @property
    def all(self) -> float:
        return self.vision + self.hearing + self.prefill + self.decode


class Prediction(BaseModel):
    """What comes of `batch` requests at a time."""

    batch: int
    seconds_per_request: float
    """Of the machine's time; alone in a batch, also how long a request takes."""
    requests_per_second: float
    output_tokens_per_second: float
    seconds_per_step: float
    """Between two tokens of an answer."""
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
        decode=(workload.answer_tokens - 1) * step / batch,  # the first is the prefill's
    )
    return Prediction(
        batch=batch,
        seconds_per_request=terms.all,
        requests_per_second=1 / terms.all,
        output_tokens_per_second=workload.answer_tokens / terms.all,
        seconds_per_step=step,
        terms=terms,
    )


def weight_bytes(config: EmotionLlamaConfig, speed: Speed) -> int:
    """All weights in memory; HuBERT's are float32."""
    counts = parameters(config)
    hubert = counts.pop("hubert")
    return hubert * FLOAT32_BYTES + sum(counts.values()) * speed.weight_bytes


def activation_bytes(config: EmotionLlamaConfig, clips: int, seconds: float) -> int:
    """Memory to compute sounds together.

    Longer sounds than `HubertMean` puts into a batch are computed one at a time.
    """
    together = min(clips * seconds, max(seconds, MOST_SAMPLES / SAMPLING_RATE))
    return convolution_bytes(config.audio, int(together * SAMPLING_RATE))


def clips_profiled(config: EmotionLlamaConfig, gpu: Gpu) -> int:
    """The clips of the longest sound that vLLM computes together at its start.

    Their memory (`MultiModalBudget`) is then not the attention cache's.
    """
    return min(MAX_NUM_SEQS, max(1, gpu.batched_tokens // config.embeddings_per_clip))


def kv_bytes_per_request(config: EmotionLlamaConfig, speed: Speed, workload: Workload) -> int:
    """Attention cache of a request at its end."""
    tokens = workload.prompt_tokens(config) + workload.answer_tokens
    return tokens * cached_per_token(config) * speed.kv_bytes


def live_requests(
    config: EmotionLlamaConfig, gpu: Gpu, workload: Workload, audio_seconds: float
) -> int:
    """How many requests have their whole attention cache in memory; 0 if it does not start."""
    activations = activation_bytes(config, clips_profiled(config, gpu), audio_seconds)
    left = gpu.gibibytes * 2**30 * MEMORY_SHARE - weight_bytes(config, gpu.speed) - activations
    return max(0, int(left / kv_bytes_per_request(config, gpu.speed, workload)))


def verdict(config: EmotionLlamaConfig, gpu: Gpu, workload: Workload) -> str:
    """Whether the 7B's configuration starts, in one sentence."""
    memory = gpu.gibibytes * MEMORY_SHARE
    weights = weight_bytes(config, gpu.speed) / 2**30
    if weights > memory:
        return f"Not servable: {weights:.1f} GiB of weights in {memory:.1f} GiB."
    clips = clips_profiled(config, gpu)
    activations = activation_bytes(config, clips, MAX_AUDIO_SECONDS) / 2**30
    needs = (
        f"{weights:.1f} GiB of weights, and {activations:.1f} GiB for {clips} clips with "
        f"--max-audio-seconds {MAX_AUDIO_SECONDS}, in {memory:.1f} GiB."
    )
    live = live_requests(config, gpu, workload, MAX_AUDIO_SECONDS)
    return f"{'Starts' if live else 'Needs a smaller --max-audio-seconds'}: {needs}"


def describe(config: EmotionLlamaConfig, gpu: Gpu) -> dict[str, Any]:
    """What a GPU should reach, with every clip new and with four questions about each."""
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
    """To four digits: it is a guess."""

    def shorten(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shorten(inner) for name, inner in value.items()}
        return float(f"{value:.4g}") if isinstance(value, float) else value

    return shorten(prediction.model_dump())


MEASURED = {"server_one_by_one": (1, 1), "server": (16, 1), "server_4_questions": (16, 4)}
"""Ways of `benchmarks.throughput`: requests at a time, and questions about each clip."""


class Measured(BaseModel):
    """What is read of `throughput.json`: the mid-size checkpoint on a CPU."""

    calibration: Calibration
    new_tokens: int
    """Of each answer."""
    seconds_per_request: dict[str, float]
    """Of each way: the time of a run over its requests."""

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
    """For each way that was measured, the prediction and what it is of the measured time."""
    found: dict[str, dict[str, Any]] = {}
    for name, (batch, questions) in MEASURED.items():
        if name not in measured.seconds_per_request:
            continue  # by a quick look
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
    """All predictions, and the check where there is a measurement."""
    config, speed, once = full_config(), GPUS[0].speed, Workload()
    found: dict[str, Any] = {
        "flops_reached": FLOPS_REACHED,
        "bandwidth_reached": BANDWIDTH_REACHED,
        "workload": once.model_dump(),
        "weights_gib": round(weight_bytes(config, speed) / 2**30, 2),
        "kv_kib_per_token": cached_per_token(config) * speed.kv_bytes / 2**10,
        "kv_mib_per_request": kv_bytes_per_request(config, speed, once) / 2**20,
        "gpus": [describe(config, gpu) for gpu in GPUS],
    }
    if measured.exists():
        found["check"] = check(Measured.model_validate_json(measured.read_bytes()))
    return found


def main() -> None:
    """The command line."""
    module = "benchmarks.paper.paper_model"
    parser = report.parser(module, __doc__)
    parser.add_argument(
        "--measured", type=Path, default=report.RESULTS / "throughput.json", help="[%(default)s]"
    )
    options = parser.parse_args()
    report.write(options.out, module, describe_all(options.measured))


if __name__ == "__main__":
    main()
