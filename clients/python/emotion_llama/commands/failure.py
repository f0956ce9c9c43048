"""How a command fails."""

import sys
from typing import NoReturn

INTERRUPTED = 130
"""The exit code that a shell gives to what Ctrl-C ended."""


class CommandError(Exception):
    """Why a command does not begin; one sentence that says what to do."""


def fail(command: str, error: CommandError, code: int = 2) -> NoReturn:
    """End a command with a sentence."""
    note(command, str(error))
    sys.exit(code)


def note(command: str, sentence: str) -> None:
    """Print a sentence of a command on the error stream."""
    print(f"emotion-llama {command}: {sentence}", file=sys.stderr)
