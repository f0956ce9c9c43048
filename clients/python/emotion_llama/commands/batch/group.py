"""Collects the commands of `emotion-llama batch`."""

import typer

from emotion_llama.commands.batch.following import cancel, status, watch
from emotion_llama.commands.batch.results import results
from emotion_llama.commands.batch.submitting import submit

batch = typer.Typer(
    name="batch",
    help="Analyse thousands of clips as one job of a server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # otherwise brackets in the help are read as styles
)
for _command in (submit, status, watch, results, cancel):
    batch.command()(_command)
