from pathlib import Path

from shared.events_page import page

PAGE = Path(__file__).parents[3] / "docs" / "events.md"


def test_the_page_of_events_tells_the_topics_and_models_of_now() -> None:
    told = PAGE.read_text(encoding="utf-8")

    assert told == page(), "make it anew: python -m shared.events_page > docs/events.md"
