"""Ends a command that fails, with a sentence."""

import sys
from typing import NoReturn

INTERRUPTED = 130
"""The exit code that a shell gives to a command that Ctrl-C ended."""


class CommandError(Exception):
    """Reports in one sentence why a command does not begin, and the cure."""


def fail(command: str, error: CommandError, code: int = 2) -> NoReturn:
    """Print a sentence and end the command."""
    note(command, str(error))
    sys.exit(code)


def note(command: str, sentence: str) -> None:
    """Print a sentence of a command on the error stream."""
    print(f"emotion-llama {command}: {sentence}", file=sys.stderr)
