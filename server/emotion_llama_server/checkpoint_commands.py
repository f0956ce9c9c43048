"""Implements the commands about checkpoints; each returns its exit code."""

from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emotion_llama_server import environment
from emotion_llama_vllm.checkpoint import convert as conversion
from emotion_llama_vllm.checkpoint.add_encoders import add_encoders as add_face_encoders
from emotion_llama_vllm.checkpoint.doctor import Finding, examine_checkpoint, examine_machine
from emotion_llama_vllm.checkpoint.fetch import FetchError, local_file, local_folder
from emotion_llama_vllm.checkpoint.gpu_size import examine_gpu, gigabytes
from emotion_llama_vllm.checkpoint.manifest import FILE_NAME, Manifest
from emotion_llama_vllm.checkpoint.scheme import Scheme
from emotion_llama_vllm.checkpoint.tensors import ConversionError
from emotion_llama_vllm.hooks.vllm_environment import compile_nothing, set_environment
from emotion_llama_vllm.verify import VerifyError
from emotion_llama_vllm.verify import verify as verify_answers

_WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin*")

_errors = Console(stderr=True, soft_wrap=True, highlight=False)


def convert(
    *,
    llama: str,
    eva: str,
    hubert: str,
    checkpoint: str,
    face_mae: str | None,
    video_mae: str | None,
    out: Path,
    dtype: str,
    lora_alpha: float,
    scheme: Scheme | None,
) -> int:
    """Fetch remote files, convert them, and print the tensors that were left out."""
    try:
        originals = conversion.Originals(
            llama=local_folder(llama, files=(*conversion.LLAMA_FILES, *_WEIGHTS)),
            eva=local_file(eva),
            hubert=local_folder(hubert, files=(*conversion.HUBERT_FILES, *_WEIGHTS)),
            checkpoint=local_file(checkpoint),
            face_mae=_local_file(face_mae),
            video_mae=_local_file(video_mae),
        )
        config = conversion.convert(
            originals,
            out,
            dtype=getattr(torch, dtype),
            lora_alpha=lora_alpha,
            scheme=scheme,
        )
    except (ConversionError, FetchError) as error:
        return _fail("convert", error)
    manifest = _print_ignored(out)
    print(
        f"Wrote {out}: {config.embeddings_per_clip} embeddings per clip, LoRA of rank "
        f"{manifest.lora_rank} merged. Serve it with: emotion-llama serve {out}"
    )
    return 0


def quantize(folder: Path, out: Path, scheme: Scheme) -> int:
    """Write a quantized copy of a checkpoint."""
    # The import of compressed-tensors takes seconds, which other commands need not.
    from emotion_llama_vllm.checkpoint.quantize import quantize as quantize_checkpoint

    try:
        quantize_checkpoint(folder, out, scheme)
    except ConversionError as error:
        return _fail("quantize", error)
    print(f"Wrote {out}. Serve it with: emotion-llama serve {out}")
    return 0


def add_encoders(folder: Path, *, face_mae: str | None, video_mae: str | None) -> int:
    """Fetch remote files, add them to the checkpoint, and print the tensors that were left out."""
    try:
        rows = add_face_encoders(
            folder, face_mae=_local_file(face_mae), video_mae=_local_file(video_mae)
        )
    except (ConversionError, FetchError) as error:
        return _fail("add-encoders", error)
    _print_ignored(folder, roles=("--face-mae", "--video-mae"))
    print(f"{folder} computes from face crops now: {' and '.join(rows)}.")
    return 0


def doctor(folder: Path | None) -> int:
    """Print every check and its result; return 1 if any check fails."""
    engine = environment.detect_engine()
    findings = examine_machine(
        folder,
        engine=f"{engine.name} {engine.version}" if engine and engine.supported else None,
        foreign=[f"{c.name} {c.version}: {c.why}" for c in environment.mismatched_companions()],
    )
    if folder is not None:
        findings = [*examine_checkpoint(folder), *findings]
    return _print(findings)


def fits(folder: Path, gpu: str) -> int:
    """Print every check of a checkpoint, and whether it fits on a GPU of this size."""
    try:
        size = gigabytes(gpu)
    except ValueError as error:
        return _fail("doctor", ValueError(f"--gpu: {error}."))
    findings = examine_checkpoint(folder)
    if all(finding.ok for finding in findings):
        findings.append(examine_gpu(folder, size))
    return _print(findings)


def _print(findings: Sequence[Finding]) -> int:
    """Print findings, and return 1 if any check failed."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in findings:
        mark = Text("ok", "green") if finding.ok else Text("not ok", "red")
        table.add_row(mark, finding.subject, Text(finding.words))
    Console().print(table)
    return 0 if all(finding.ok for finding in findings) else 1


def verify(folder: Path, golden: Path, *, dtype: str) -> int:
    """Print each recorded answer and ours; return 1 if any pair differs."""
    set_environment()
    compile_nothing()
    try:
        answers = verify_answers(folder, golden, dtype=dtype)
    except VerifyError as error:
        return _fail("verify", error)
    for answer in answers:
        print(f"{'same     ' if answer.same else 'DIFFERENT'}  {answer.name}: {answer.ours!r}")
        if not answer.same:
            print(f"           expected: {answer.expected!r}")
    wrong = sum(not answer.same for answer in answers)
    print(f"{len(answers) - wrong} of {len(answers)} answers are the recorded ones.")
    return 1 if wrong else 0


def _fail(command: str, error: Exception) -> int:
    _errors.print(f"emotion-llama {command}: {error}", markup=False)
    return 2


def _local_file(source: str | None) -> Path | None:
    return None if source is None else local_file(source)


def _print_ignored(folder: Path, roles: Sequence[str] | None = None) -> Manifest:
    """Print the tensors of some or all inputs that are not used, and return the manifest."""
    manifest = Manifest.model_validate_json((folder / FILE_NAME).read_text(encoding="utf-8"))
    for role, names in manifest.ignored.items():
        if names and (roles is None or role in roles):
            print(f"Not used from {role}: {_summary(names)}")
    return manifest


def _summary(names: list[str]) -> str:
    """Return the first names and the number of the others."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
