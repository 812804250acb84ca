"""Print those parts of a lock that standard input names: ``only.py requirements.lock < names``.

Names are what ``uv pip compile`` prints for one extra; versions and hashes are the lock's own, so
that an image holds what was locked and nothing that its service does not need. Standard library
alone: it runs in a bare image.
"""

import re
import sys
from collections.abc import Iterable

_NAME = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==")


def only(lock: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return the lines of a lock that pin a wanted name. Raises ValueError where one is missing."""
    names = {name for line in wanted if (name := _name(line))}
    kept: list[str] = []
    found: set[str] = set()
    takes = False
    for line in lock:
        if name := _name(line):
            takes = name in names
            found |= {name} & names
        elif not line.startswith(" "):
            takes = False
        if takes:
            kept.append(line)
    if missing := sorted(names - found):
        msg = f"expected these in the lock, found none of them: {', '.join(missing)}; lock anew"
        raise ValueError(msg)
    return kept


def _name(line: str) -> str:
    match = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else ""


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123  # the shortest way
        sys.stdout.writelines(only(file, sys.stdin))
