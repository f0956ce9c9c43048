"""The command `emotion-llama`."""

import sys

import typer

app = typer.Typer(
    name="emotion-llama",
    help="Ask Emotion-LLaMA about the emotion in a video clip.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def _commands() -> None:
    """Ask Emotion-LLaMA about the emotion in a video clip."""


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],  # vLLM's parser knows all flags, ours among them
    }
)
def serve(context: typer.Context) -> None:
    """Serve a checkpoint over HTTP: [MODEL] [--config FILE] [any flag of vllm serve]."""
    from emotion_llama_server.serve import main as serve_main

    sys.exit(serve_main(context.args))


def main() -> None:
    """Entry point of the command."""
    app()
