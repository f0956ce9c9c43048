"""Annotates the clips of a folder or of a list on a Ray cluster, one engine for each actor.

    python examples/annotate_with_ray.py CLIPS OUT --actors 8 --gpus 1 --model DIR

CLIPS is a folder, or a Parquet or CSV file with the column `clip`; its column `transcript` says
what is said in a clip, and other columns are kept. CLIPS, OUT and the clips of a list are paths
that all nodes have, or URLs such as s3://bucket/folder.

OUT/answers gets one row for each clip: the answer, or the error. The same command again goes on
where the last one ended, by the list of finished clips in OUT/done. RAY_ADDRESS names a cluster
that runs; without it, Ray starts one on this machine.
"""

import argparse
from pathlib import Path, PurePath

import pyarrow as pa
import pyarrow.parquet as pq
import ray
from pyarrow import csv
from pyarrow.fs import FileSelector, FileSystem, FileType
from ray.data import ActorPoolStrategy, DataContext
from ray.data.checkpoint import CheckpointConfig

from emotion_llama.commands.clips import PICTURES, VIDEOS, is_sidecar
from emotion_llama_vllm.ray import CLIP, TRANSCRIPT, ClipAnnotator

ENGINE = {"max_model_len": 2048, "max_num_seqs": 80}
"""The engine's options, which are those of configs/emotion-llama-7b.yaml."""
BATCHES_AT_ONCE = 3
"""The batches on which an actor works at once, so that no step of its engine has few clips."""
TRIES = 3
"""The further times that a batch is tried if the actor that works on it ends."""


def main() -> None:
    """Annotate the clips that have no row yet."""
    options = parse()
    source, out = absolute(options.clips), absolute(options.out)
    ray.init()
    warn_of_missing_resources(options)
    todo = f"{out}/clips.parquet"
    write_parquet(list_clips(source), todo)
    DataContext.get_current().checkpoint_config = CheckpointConfig(
        id_column=CLIP, checkpoint_path=f"{out}/done", delete_checkpoint_on_success=False
    )
    answers = (
        ray.data.read_parquet(todo)
        .repartition(target_num_rows_per_block=options.batch)
        .map_batches(
            ClipAnnotator,
            fn_constructor_kwargs={
                "model": options.model,
                "engine": ENGINE,
                "task": options.task,
            },
            batch_size=options.batch,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(
                size=options.actors,
                max_concurrent_calls_per_actor=BATCHES_AT_ONCE,
                enable_true_multi_threading=True,
            ),
            num_cpus=options.cpus,
            num_gpus=options.gpus,
            max_task_retries=TRIES,
        )
    )
    write = answers.write_json if options.format == "jsonl" else answers.write_parquet
    write(f"{out}/answers")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Annotate clips on a Ray cluster.")
    parser.add_argument("clips", help="folder, or .parquet or .csv with the column `clip`")
    parser.add_argument("out", help="folder to write")
    parser.add_argument("--model", default="demo", help="checkpoint folder or repository [demo]")
    parser.add_argument("--task", default="both", choices=("emotion", "reason", "both"))
    parser.add_argument("--actors", type=int, default=1, help="engines [1]")
    parser.add_argument("--gpus", type=float, default=0, help="GPUs of each engine [0]")
    parser.add_argument("--cpus", type=float, default=1, help="CPUs of each engine [1]")
    parser.add_argument("--batch", type=int, default=32, help="clips in each file of OUT [32]")
    parser.add_argument("--format", default="parquet", choices=("parquet", "jsonl"))
    return parser.parse_args()


def warn_of_missing_resources(options: argparse.Namespace) -> None:
    """Say what the cluster lacks, because Ray would wait for it without a word."""
    wanted = {"CPU": options.actors * options.cpus + 2, "GPU": options.actors * options.gpus}
    there = ray.cluster_resources()
    for name, number in wanted.items():
        if there.get(name, 0) < number:
            print(
                f"The cluster has {there.get(name, 0):g} {name}s; {number:g} are needed for the "
                "engines, for reading and for writing. The run waits until they are there."
            )


def list_clips(source: str) -> pa.Table:
    """Return a table with the clips of a folder or of a list, each clip once."""
    table = read_list(source) if source.endswith((".parquet", ".csv")) else look_into(source)
    clips = [beside(source, clip) for clip in table[CLIP].to_pylist()]
    first = {clip: row for row, clip in reversed(list(enumerate(clips)))}
    table = table.set_column(table.column_names.index(CLIP), CLIP, pa.array(clips, pa.string()))
    return table.take(sorted(first.values()))


def read_list(file: str) -> pa.Table:
    """Read the table of a list."""
    files, path = open_place(file)
    if file.endswith(".parquet"):
        return pq.read_table(path, filesystem=files)
    texts = csv.ConvertOptions(column_types={CLIP: pa.string(), TRANSCRIPT: pa.string()})
    with files.open_input_stream(path) as stream:
        return csv.read_csv(
            stream,
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=texts,
        )


def look_into(folder: str) -> pa.Table:
    """Return the videos and pictures in a folder and its folders, in the order of their names."""
    files, path = open_place(folder)
    prefix = folder[: len(folder) - len(path)]
    found = files.get_file_info(FileSelector(path, recursive=True))
    names = sorted(info.path for info in found if info.type == FileType.File)
    clips = [prefix + name for name in names if is_clip(PurePath(name).relative_to(path))]
    return pa.table({CLIP: pa.array(clips, pa.string())})


def is_clip(path: PurePath) -> bool:
    """Return whether a file is a clip, and neither hidden nor a system's own."""
    is_hidden = any(part.startswith(".") or is_sidecar(part) for part in path.parts)
    return path.suffix.lower() in VIDEOS + PICTURES and not is_hidden


def beside(source: str, clip: str) -> str:
    """Return the whole name of a clip; a relative one starts at the folder of its list."""
    if "://" in clip or clip.startswith("/"):
        return clip
    return f"{source.rpartition('/')[0]}/{clip}"


def absolute(place: str) -> str:
    """Return a path from the root, as other nodes have other working folders."""
    return place.rstrip("/") if "://" in place else str(Path(place).absolute())


def open_place(place: str) -> tuple[FileSystem, str]:
    """Return the file system of a path or URL, and the path in it."""
    return FileSystem.from_uri(place)


def write_parquet(table: pa.Table, place: str) -> None:
    """Write a table, and the folder around it."""
    files, path = open_place(place)
    files.create_dir(str(PurePath(path).parent), recursive=True)
    pq.write_table(table, path, filesystem=files)


if __name__ == "__main__":
    main()
