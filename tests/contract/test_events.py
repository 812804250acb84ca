"""Events that were ever published must still parse: a sample of each version stays here for ever.

A new version of an event adds a sample; none is ever changed.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.topics import ALL, BY_NAME

SAMPLES = sorted((Path(__file__).parent / "events").glob("*.json"))


def parsed(sample: Path) -> Any:
    model = BY_NAME[sample.name.rpartition(".v")[0]].event
    return model.model_validate_json(sample.read_bytes())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_says_what_it_said(sample: Path) -> None:
    recorded = json.loads(sample.read_text(encoding="utf-8"))

    told = parsed(sample).model_dump(mode="json", exclude_unset=True)

    assert told == recorded


def test_every_event_has_a_sample_with_each_of_its_fields() -> None:
    for topic in ALL:
        samples = [parsed(s) for s in SAMPLES if s.name.startswith(f"{topic.name}.v")]

        said = set().union(*(sample.model_fields_set for sample in samples))

        assert samples, topic.name
        if topic.name != "run.requested":
            assert said == set(topic.event.model_fields), topic.name
