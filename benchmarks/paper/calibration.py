"""What this machine reaches in the two things that serving is made of.

Matrix products, as of a prompt, and a matrix read once, as the weights are for each token of an
answer. In this process, with its number of threads: set as many as the engine has.
"""

import statistics
import time
from collections.abc import Callable

import torch
from pydantic import BaseModel
from torch.nn.functional import linear

PROMPT, WIDTH, INNER = 310, 1024, 4096
"""Tokens of a prompt, and the sides of a matrix as in the mid-size checkpoint's Llama."""
STREAMED_BYTES = 256 << 20
"""Of the matrix that is read: much more than any cache holds."""


class Calibration(BaseModel):
    """The rates reached, in 10**9 a second."""

    dtype: str
    threads: int
    matmul_gflops: float
    """Floating-point operations in `dtype`; a multiplication and an addition are two."""
    float32_gflops: float
    """The same in float32, in which HuBERT computes."""
    bandwidth_gb_s: float
    """Bytes of a matrix that is multiplied by one vector, both in `dtype`."""


def calibrate(dtype: torch.dtype, seconds: float) -> Calibration:
    """Measure each of the rates for so many seconds."""
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
    # Written, not only reserved: Linux would let all its pages be one page of zeros.
    matrix = torch.ones(STREAMED_BYTES // dtype.itemsize // INNER, INNER, dtype=dtype)
    token = torch.ones(1, INNER, dtype=dtype)
    return matrix.nbytes / _seconds(lambda: linear(token, matrix), seconds)


@torch.inference_mode()
def _seconds(run: Callable[[], object], at_least: float) -> float:
    """The median time of a run."""
    run()  # the first one also sets things up
    times: list[float] = []
    while sum(times) < at_least:
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
