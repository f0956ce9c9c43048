"""Defines the client's commands of `emotion-llama`; the server's package adds its own."""

from typing import Annotated

import typer

from emotion_llama import __version__
from emotion_llama.commands.analyze import analyze
from emotion_llama.commands.bench import bench
from emotion_llama.commands.evaluate import evaluate

app = typer.Typer(
    name="emotion-llama",
    help="Ask Emotion-LLaMA about the emotion in a video clip.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # otherwise brackets in the help are read as styles
)
app.command()(analyze)
app.command()(evaluate)
app.command()(bench)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"emotion-llama {__version__}")
        raise typer.Exit


@app.callback()
def _commands(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="show the version"),
    ] = False,
) -> None:
    """Ask Emotion-LLaMA about the emotion in a video clip."""
