"""Defines the client's commands of `emotion-llama`; the server's package adds its own."""

from typing import Annotated

import typer

from emotion_llama import __version__
from emotion_llama.commands.analyze import analyze
from emotion_llama.commands.bench import bench
from emotion_llama.commands.evaluate import evaluate
from emotion_llama.commands.failure import CommandError, fail

_OF_THE_SERVER = ("serve", "convert", "doctor", "verify")
"""The commands that the server's package adds."""

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


def _refuse(context: typer.Context) -> None:
    """Tell how to install the package that has this command."""
    cure = "The server is not installed here; `make setup` in a checkout installs it."
    fail(str(context.info_name), CommandError(cure))


def main() -> None:
    """Run the client's commands where the server's package is not installed."""
    for name in _OF_THE_SERVER:
        app.command(
            name,
            hidden=True,
            add_help_option=False,
            context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        )(_refuse)
    app()
