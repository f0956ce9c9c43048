"""Defines the arguments and flags that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from emotion_llama.keys import KEY_VARIABLE

Clips = Annotated[list[str], typer.Argument(help="files, folders or URLs")]
Address = Annotated[str, typer.Option("--server", metavar="URL", help="address of the server")]
ApiKey = Annotated[str | None, typer.Option(envvar=KEY_VARIABLE, metavar="KEY", help="API key")]
TaskName = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="TASK",
        help="emotion (numbers and the label), reason (numbers and an explanation) or both",
    ),
]
Timeline = Annotated[
    str | None, typer.Option(metavar="WINDOW/STEP", help="windows in seconds, as 2/1")
]
Transcripts = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="CSV file `name,transcript`: the words; a name is the clip's path"
    ),
]
Frame = Annotated[
    str,
    typer.Option(
        metavar="FRAME",
        help="picture that the model sees: first, middle, peak or a time in seconds",
    ),
]
FaceCrops = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="face crops, as OpenFace writes them: DIR/CLIP/*.bmp"),
]
Transcribe = Annotated[
    bool, typer.Option(help="let the server's transcription service write the words")
]
AudioTrack = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="sound track, from 0, if not the default one")
]
LanguageName = Annotated[
    str, typer.Option("--language", metavar="LANGUAGE", help="language of the question: en or zh")
]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="file to write: .jsonl or .csv")]
Concurrency = Annotated[int, typer.Option(min=1, metavar="N", help="number of clips at once")]
