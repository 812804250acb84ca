"""Errors of the native stack. Each text says what was expected, what was found, what to do."""


class StackError(Exception):
    """The stack cannot do what was asked; the text is for the user and complete in one line."""


class RefusedError(StackError):
    """What was asked would be unsafe, so it is not tried."""


class PartFailedError(StackError):
    """A part did not start. ``tail`` holds the last lines of its log."""

    def __init__(self, part: str, why: str, tail: str) -> None:
        super().__init__(f"{part} did not start: {why}")
        self.part = part
        self.why = why
        self.tail = tail
