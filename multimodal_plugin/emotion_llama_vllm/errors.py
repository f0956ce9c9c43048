"""Defines the error about a field of a request; `media.errors` has those about its clip."""


class FieldError(ValueError):
    """Reports a field that cannot be used; the HTTP status is 400.

    Args:
        words: one sentence with the cure.
        field: the name of the field.
    """

    def __init__(self, words: str, field: str) -> None:
        super().__init__(words)
        self.field = field
