"""Exceptions for input that a user can mend."""

from custom.base.readable import readable


class BadInput(ValueError):
    """Input that is refused: the message is one sentence that names the file, the fault and the cure.

    The command line prints it without a traceback and exits with code 2 (`custom.command_line.edge`).
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(readable(sentence))


class NotFinite(BadInput):
    """A network that computes NaN or infinite numbers."""
