"""The codes that docs/operating.md lists are those that the code gives."""

import re
from pathlib import Path

from services.execution.risk import CODES as DECLINED
from services.marketdata.capture import CODES as OF_THE_BROKER

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
RAISED = re.compile(
    r"(?:StepFailedError|Refusal|PassingError|PoisonError)\(\s*\"([a-z_]+)\"", re.MULTILINE
)
# Named by a constant where they are given.
BY_NAME = {"lost", "hold_proposed", "answer_unreadable", "mode_unavailable"}


def given() -> set[str]:
    sources = [p for name in ("services", "shared") for p in (ROOT / name).rglob("*.py")]
    raised = {code for path in sources for code in RAISED.findall(path.read_text())}
    return raised | BY_NAME | set(DECLINED.values()) | {code for _, code in OF_THE_BROKER}


def listed() -> set[str]:
    rows = PAGE.partition("The codes:")[2].partition("\n## ")[0].replace("\n\nA run waits", "")
    table = "\n".join(line for line in rows.splitlines() if line.startswith("| "))
    return set(re.findall(r"`([a-z_]+)`", table))


def test_every_code_is_listed_and_every_listed_code_is_given() -> None:
    assert listed() == given()
