"""Defines the client's commands of `emotion-llama`; the server's package adds its own."""

from collections.abc import Callable
from typing import Annotated

import typer

from emotion_llama import __version__
from emotion_llama.commands.analyze import analyze
from emotion_llama.commands.batch.group import batch
from emotion_llama.commands.bench import bench
from emotion_llama.commands.evaluate import evaluate
from emotion_llama.commands.failure import CommandError, fail
from emotion_llama.commands.mcp import mcp

_OF_THE_SERVER = ("serve", "convert", "doctor", "verify")
"""The commands that the server's package adds."""

app = typer.Typer(
    name="emotion-llama",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # otherwise brackets in the help are read as styles
)
app.command()(analyze)
app.add_typer(batch)
app.command()(evaluate)
app.command()(bench)
app.command()(mcp)


def describe(purpose: str, version: Callable[[], str]) -> None:
    """Give the command its help and the option `--version`, instead of those that it has.

    Args:
        purpose: the first sentence of the help.
        version: returns the line that `--version` prints.
    """

    def show(is_wanted: bool) -> None:
        if is_wanted:
            print(version())
            raise typer.Exit

    option = typer.Option("--version", callback=show, is_eager=True, help="show the version")

    @app.callback(help=purpose)
    def _commands(shown: Annotated[bool, option] = False) -> None: ...


describe(
    "Ask Emotion-LLaMA about the emotion in a video clip.", lambda: f"emotion-llama {__version__}"
)


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
