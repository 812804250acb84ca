import json

from hypothesis import given
from hypothesis import strategies as st

from cli.publish import key_of


@given(st.text(min_size=1))
def test_the_key_is_the_run_id(run_id: str) -> None:
    assert key_of(json.dumps({"run_id": run_id}).encode()) == run_id.encode()


@given(st.none() | st.integers() | st.lists(st.text()))
def test_a_run_id_that_is_no_text_makes_no_key(run_id: object) -> None:
    assert key_of(json.dumps({"run_id": run_id}).encode()) is None


@given(st.binary())
def test_any_bytes_can_be_published(body: bytes) -> None:
    key = key_of(body)

    assert key is None or key in body


def test_a_body_without_a_run_id_has_no_key() -> None:
    for body in (b"", b"{}", b"[]", b'"run_id"', b"[" * 100_000, b'{"run_id": "\xff"}'):
        assert key_of(body) is None
