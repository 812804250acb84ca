"""Reading the logs of several parts as one stream."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.native.files import tail

_POLL_S = 0.2


def last_lines(paths: Sequence[Path], count: int) -> Iterator[str]:
    """Yield the last lines of each log, marked by part where there are several."""
    for path in paths:
        for line in tail(path, count).splitlines() if count else ():
            yield _marked(path, line, paths)


def follow(paths: Sequence[Path]) -> Iterator[str]:
    """Yield lines as they are written, for ever; a log that was replaced is read anew."""
    places = {path: path.stat().st_size for path in paths}
    while True:
        for path in paths:
            size = path.stat().st_size if path.exists() else 0
            with path.open("rb") as file:
                file.seek(places[path] if size >= places[path] else 0)
                # Up to the last complete line: the rest comes when it is complete.
                whole, newline, _ = file.read().rpartition(b"\n")
                places[path] = file.tell() if newline else places[path]
            for line in whole.decode("utf-8", "replace").splitlines():
                yield _marked(path, line, paths)
        time.sleep(_POLL_S)


def _marked(path: Path, line: str, paths: Sequence[Path]) -> str:
    return f"{path.stem:<11} | {line}" if len(paths) > 1 else line
