"""The command `emotion-llama`: what asks a server. The server's own package adds what serves."""

import typer

from emotion_llama.commands.analyze import analyze
from emotion_llama.commands.bench import bench
from emotion_llama.commands.evaluate import evaluate

app = typer.Typer(
    name="emotion-llama",
    help="Ask Emotion-LLaMA about the emotion in a video clip.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # else brackets in the help are taken for styles
)
app.command()(analyze)
app.command()(evaluate)
app.command()(bench)


@app.callback()
def _commands() -> None:
    """Ask Emotion-LLaMA about the emotion in a video clip."""
