"""Measures this machine's speed in the two operations that serving consists of.

They are matrix products, as for a prompt, and one read of a matrix, as of the weights for each
token of an answer. They run in this process with its number of threads: set as many as the engine
has.
"""

import statistics
import time
from collections.abc import Callable

import torch
from pydantic import BaseModel
from torch.nn.functional import linear

PROMPT, WIDTH, INNER = 310, 1024, 4096
"""The tokens of a prompt, and the sides of a matrix as in the mid-size checkpoint's Llama."""
STREAMED_BYTES = 256 << 20
"""The size of the read matrix, which is much more than any cache holds."""


class Calibration(BaseModel):
    """Holds the measured rates, in 10**9 a second."""

    dtype: str
    threads: int
    matmul_gflops: float
    """The floating-point operations in `dtype`; a multiplication and an addition count as two."""
    float32_gflops: float
    """The floating-point operations in float32, in which HuBERT computes."""
    bandwidth_gb_s: float
    """The bytes of a matrix that is multiplied by one vector, both in `dtype`."""


def calibrate(dtype: torch.dtype, seconds: float) -> Calibration:
    """Measure each rate for this many seconds."""
    return Calibration(
        dtype=str(dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        matmul_gflops=_matmul_rate(dtype, seconds) / 1e9,
        float32_gflops=_matmul_rate(torch.float32, seconds) / 1e9,
        bandwidth_gb_s=_streaming_rate(dtype, seconds) / 1e9,
    )


def _matmul_rate(dtype: torch.dtype, seconds: float) -> float:
    tokens, matrix = torch.randn(PROMPT, WIDTH).to(dtype), torch.randn(INNER, WIDTH).to(dtype)
    return 2 * PROMPT * WIDTH * INNER / _seconds(lambda: linear(tokens, matrix), seconds)


def _streaming_rate(dtype: torch.dtype, seconds: float) -> float:
    # Linux could map all pages of unwritten memory to one page of zeros, so it is written.
    matrix = torch.ones(STREAMED_BYTES // dtype.itemsize // INNER, INNER, dtype=dtype)
    token = torch.ones(1, INNER, dtype=dtype)
    return matrix.nbytes / _seconds(lambda: linear(token, matrix), seconds)


@torch.inference_mode()
def _seconds(run: Callable[[], object], at_least: float) -> float:
    """Return the median time of a run."""
    run()  # the first run also sets things up
    times: list[float] = []
    while sum(times) < at_least:
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
