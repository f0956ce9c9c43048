"""How a command fails."""


class CommandError(Exception):
    """Why a command does not begin; one sentence that says what to do."""
