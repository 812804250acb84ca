"""What ends a command, and with which exit code."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. 2, wrong usage, is given by typer itself."""

    FAILED = 1
    REFUSED = 3
    TIMED_OUT = 4


class CommandError(Exception):
    """Ends a command. The text is one line: what was expected, what was found, what to do."""

    def __init__(self, text: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(text)
        self.code = code
