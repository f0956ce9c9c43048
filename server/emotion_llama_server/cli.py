"""Adds the server's commands to the client's command `emotion-llama`."""

import enum
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from emotion_llama import __version__
from emotion_llama.cli import app, describe
from emotion_llama_server.environment import HOW_TO_INSTALL, detect_engine
from emotion_llama_vllm.checkpoint.scheme import Scheme


class WeightType(enum.StrEnum):
    """Lists the data types of a converted checkpoint."""

    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


FaceMae = Annotated[
    str | None, typer.Option(metavar="FILE", help="mae_checkpoint-340.pth: a file or URL")
]
VideoMae = Annotated[
    str | None, typer.Option(metavar="FILE", help="maeVideo_ckp199.pth: a file or URL")
]


def _version() -> str:
    engine = detect_engine()
    beside = f" with {engine.name} {engine.version}" if engine else ", without an engine"
    return f"emotion-llama {__version__}{beside}"


describe("Serve Emotion-LLaMA, and ask it about the emotion in a video clip.", _version)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],  # `serve` takes flags that are declared elsewhere
    }
)
def serve(context: typer.Context) -> None:
    """Serve a checkpoint over HTTP; by default the demo's."""
    from emotion_llama_server.start.process import restart_with_large_pages

    restart_with_large_pages()
    from emotion_llama_server.start.serve import main as serve_main

    sys.exit(serve_main(context.args))


@app.command()
def convert(
    llama: Annotated[
        str, typer.Option(metavar="DIR", help="Llama-2-7b-chat-hf: a folder or Hugging Face id")
    ],
    eva: Annotated[str, typer.Option(metavar="FILE", help="eva_vit_g.pth: a file or URL")],
    hubert: Annotated[
        str, typer.Option(metavar="DIR", help="chinese-hubert-large: a folder or Hugging Face id")
    ],
    checkpoint: Annotated[
        str, typer.Option(metavar="FILE", help="Emotion_LLaMA.pth: a file or URL")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="folder to write; must not exist")],
    face_mae: FaceMae = None,
    video_mae: VideoMae = None,
    dtype: Annotated[WeightType, typer.Option(help="type of the weights")] = WeightType.BFLOAT16,
    lora_alpha: Annotated[
        float, typer.Option(metavar="ALPHA", help="alpha of the LoRA's training", min=0)
    ] = 16,
    quantize: Annotated[
        Scheme | None, typer.Option(help="bits of the Llama's weights and activations")
    ] = None,
) -> None:
    """Convert the original's published files into a checkpoint."""
    checkpoints = _checkpoints()
    sys.exit(
        checkpoints.convert(
            llama=llama,
            eva=eva,
            hubert=hubert,
            checkpoint=checkpoint,
            face_mae=face_mae,
            video_mae=video_mae,
            out=out,
            dtype=dtype.value,
            lora_alpha=lora_alpha,
            scheme=quantize,
        )
    )


@app.command()
def quantize(
    checkpoint: Annotated[Path, typer.Argument(help="a checkpoint folder")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="folder to write; must not exist")],
    scheme: Annotated[Scheme, typer.Option(help="bits of the Llama's weights and activations")],
) -> None:
    """Write a quantized copy of a checkpoint, for small GPUs."""
    sys.exit(_checkpoints().quantize(checkpoint, out, scheme))


@app.command()
def add_encoders(
    checkpoint: Annotated[Path, typer.Argument(help="a checkpoint folder")],
    face_mae: FaceMae = None,
    video_mae: VideoMae = None,
) -> None:
    """Add the face encoders to a converted checkpoint."""
    if face_mae is None and video_mae is None:
        raise typer.BadParameter("name a file with --face-mae, with --video-mae, or with both")
    checkpoints = _checkpoints()
    sys.exit(checkpoints.add_encoders(checkpoint, face_mae=face_mae, video_mae=video_mae))


@app.command()
def doctor(
    folder: Annotated[Path | None, typer.Argument(help="a checkpoint folder")] = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="size of a GPU to check in place of this machine, as 12GB"
        ),
    ] = None,
) -> None:
    """Check a checkpoint and this machine, and print the cures."""
    if gpu is not None and folder is None:
        raise typer.BadParameter("--gpu also needs a checkpoint folder")
    checkpoints = _checkpoints()
    sys.exit(checkpoints.doctor(folder) if gpu is None else checkpoints.fits(folder, gpu))


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="a checkpoint folder")],
    golden: Annotated[
        Path, typer.Option(metavar="FILE", help="JSON of clips, prompts and expected answers")
    ],
    dtype: Annotated[WeightType, typer.Option(help="type to compute in")] = WeightType.FLOAT32,
) -> None:
    """Check that a checkpoint answers as the original did."""
    checkpoints = _checkpoints()
    sys.exit(checkpoints.verify(folder, golden, dtype=dtype.value))


def _checkpoints() -> ModuleType:
    """Import the module of the checkpoint commands, which needs the engine's packages."""
    try:
        return importlib.import_module("emotion_llama_server.checkpoint_commands")
    except ModuleNotFoundError as error:
        told = f"{error.name} is not installed; {HOW_TO_INSTALL}"
        print(f"emotion-llama: {told}.", file=sys.stderr)
        sys.exit(2)


def main() -> None:
    """Run the command."""
    app()
