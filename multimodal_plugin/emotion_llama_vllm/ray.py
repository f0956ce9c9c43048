"""Annotates the clips of a Ray dataset: `ClipAnnotator` is an actor class for its `map_batches`."""

import os
from collections.abc import Mapping
from functools import cache
from os import PathLike, fspath
from typing import Any

import pyarrow as pa
from pyarrow.fs import FileSystem
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama.many import Analysis
from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm.logger import logger
from emotion_llama_vllm.offline import DEMO, LocalEmotionLLaMA, read_file

CLIP, TRANSCRIPT = "clip", "transcript"
"""The columns of a batch: the path or URL of each clip, and, if it is there, what is said in it."""


class ClipAnnotator:
    """Adds to each clip of a batch the answer about it, or its error.

    An actor holds one engine. Let it work on several batches at once, so that the engine goes on
    with the next ones while the last clips of a batch finish:

        ActorPoolStrategy(
            size=ACTORS, max_concurrent_calls_per_actor=3, enable_true_multi_threading=True
        )

    If the engine fails, the actor's process ends, and Ray starts another one for the same batches.

    Args:
        model: `demo`, a checkpoint folder, or a repository on Hugging Face.
        engine: options of `vllm.LLM`.
        fields: the fields of EmotionRequest for all clips.

    Raises:
        pydantic.ValidationError: a field is unknown, or its value is invalid.
    """

    def __init__(
        self,
        model: str | PathLike[str] = DEMO,
        *,
        engine: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        labels = EmotionRequest(**fields).labels
        self._model = LocalEmotionLLaMA(model, **(engine or {}))
        self._fields = fields
        self._schema = answer_schema(labels or self._model.labels)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Return the batch with the columns of `answer_schema`, in the order of its rows.

        Args:
            batch: a table with the columns `clip` and perhaps `transcript`; other columns stay.
        """
        clips: list[str] = batch[CLIP].to_pylist()
        words = _words(batch, clips)
        try:
            found = self._model.analyze_many(
                clips,
                at_once=len(clips),
                read=read_clip,
                own_fields=lambda clip: words.get(fspath(clip), {}),
                **self._fields,
            )
            answers = pa.Table.from_pylist([_row(analysis) for analysis in found], self._schema)
        except EngineDeadError:
            # An error would end the run. Ray replaces an actor that ends, and so does its engine.
            logger.critical("The engine has failed; this actor ends.", exc_info=True)
            os._exit(1)
        kept = [name for name in batch.column_names if name not in self._schema.names]
        columns = [batch.select(kept), answers]
        return pa.table({name: part[name] for part in columns for name in part.column_names})


def _words(batch: pa.Table, clips: list[str]) -> dict[str, dict[str, str]]:
    """Return what is said in the clips of which the batch says it."""
    said = batch[TRANSCRIPT].to_pylist() if TRANSCRIPT in batch.column_names else []
    return {clip: {"transcript": text} for clip, text in zip(clips, said, strict=False) if text}


def answer_schema(labels: list[str]) -> pa.Schema:
    """Return the columns of an answer; `error` is null if there is one, else it says why not.

    Args:
        labels: the labels whose probabilities an answer holds.
    """
    emotion = [
        ("emotion", pa.string()),
        ("confidence", pa.float64()),
        ("probabilities", pa.struct([(label, pa.float64()) for label in labels])),
    ]
    window = pa.struct([("start", pa.float64()), ("end", pa.float64()), *emotion])
    warning = pa.struct([("code", pa.string()), ("message", pa.string())])
    return pa.schema(
        [
            *emotion,
            ("answer", pa.string()),
            ("answer_matches", pa.bool_()),
            ("explanation", pa.string()),
            ("timeline", pa.list_(window)),
            ("warnings", pa.list_(warning)),
            ("model", pa.string()),
            ("error", pa.string()),
        ]
    )


def read_clip(clip: str | PathLike[str]) -> bytes:
    """Return the bytes of a clip, which a path or a URL such as `s3://bucket/clip.mp4` names.

    Raises:
        OSError: the clip cannot be read.
        ValueError: the URL is of no kind that Arrow reads.
    """
    scheme, mark, path = fspath(clip).partition("://")
    if not mark:
        return read_file(clip)
    host = path.partition("/")[0]
    with _filesystem(f"{scheme}://{host}/").open_input_file(path) as file:
        return file.read()


@cache
def _filesystem(root: str) -> FileSystem:
    """Return the file system of a host or bucket; finding a bucket's region takes a request."""
    return FileSystem.from_uri(root)[0]


def _row(analysis: Analysis) -> dict[str, Any]:
    if analysis.response is None:
        return {"error": str(analysis.error) or type(analysis.error).__name__}
    return analysis.response.model_dump(mode="json")
