"""Lists GPUs with the numbers of their data sheets."""

from pydantic import BaseModel

from benchmarks.paper.roofline import Speed

FLOPS_REACHED = 0.5
"""The assumed share of a data sheet's FLOP/s that matrix products reach, in any precision."""
BANDWIDTH_REACHED = 0.7
"""The assumed share of a data sheet's memory bandwidth that serving reaches."""


class Gpu(BaseModel):
    """Describes a GPU by its data sheet."""

    name: str
    """The name in nvidia-smi."""
    bf16_tflops: float
    """The dense TFLOP/s, with sums in float32."""
    float32_tflops: float
    """The TFLOP/s without tensor cores: vLLM's `VLLM_FLOAT32_MATMUL_PRECISION` is `highest`: no
    TF32."""
    gigabytes_per_second: float
    gibibytes: float
    """The memory in nvidia-smi: on some cards less than the data sheet's, for error correction."""
    batched_tokens: int = 2048
    """The `--max-num-batched-tokens` of vLLM's server on it (`EngineArgs.get_batch_defaults`)."""
    source: str

    @property
    def speed(self) -> Speed:
        """Return the speed that we assume in bfloat16."""
        return Speed(
            flops=FLOPS_REACHED * self.bf16_tflops * 1e12,
            float32_flops=FLOPS_REACHED * self.float32_tflops * 1e12,
            bandwidth=BANDWIDTH_REACHED * self.gigabytes_per_second * 1e9,
            overlaps=True,
        )


GPUS = (
    Gpu(
        name="NVIDIA L4",
        bf16_tflops=121,
        float32_tflops=30.3,
        gigabytes_per_second=300,
        gibibytes=23034 / 1024,
        source="NVIDIA L4 Tensor Core GPU data sheet (242 with sparsity)",
    ),
    Gpu(
        name="NVIDIA A10G",
        bf16_tflops=70,
        float32_tflops=31.5,
        gigabytes_per_second=600,
        gibibytes=23028 / 1024,
        source="NVIDIA A10G data sheet for AWS, 2022-02-17 (140 with sparsity)",
    ),
    Gpu(
        name="NVIDIA GeForce RTX 4090",
        bf16_tflops=165.2,
        float32_tflops=82.6,
        gigabytes_per_second=1008,
        gibibytes=24564 / 1024,
        source="NVIDIA Ada GPU Architecture, V2.01, specifications of the RTX 4090",
    ),
    Gpu(
        name="NVIDIA A100-SXM4-80GB",
        bf16_tflops=312,
        float32_tflops=19.5,
        gigabytes_per_second=2039,
        gibibytes=81920 / 1024,
        source="NVIDIA A100 Tensor Core GPU data sheet, 80GB SXM",
    ),
    Gpu(
        name="NVIDIA H100 80GB HBM3",
        bf16_tflops=989,
        float32_tflops=67,
        gigabytes_per_second=3350,
        gibibytes=81559 / 1024,
        batched_tokens=8192,
        source="NVIDIA H100 Tensor Core GPU data sheet, SXM (1979 with sparsity)",
    ),
    Gpu(
        name="NVIDIA H200",
        bf16_tflops=989,
        float32_tflops=67,
        gigabytes_per_second=4800,
        gibibytes=143771 / 1024,
        batched_tokens=8192,
        source="NVIDIA H200 Tensor Core GPU data sheet, SXM (1979 with sparsity)",
    ),
)
