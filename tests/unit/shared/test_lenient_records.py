"""Whatever header names Kafka took, a reader goes on."""

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

import shared.kafka  # noqa: F401  # installs what is tested here


class Raw(str):
    """A header name that goes out as the bytes of another client."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe\x00"


def batch(*headers: list[tuple[str, bytes | None]], codec: int = 0, base: int = 0) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(
        2,
        codec,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=100_000,
    )
    for offset, some in enumerate(headers):
        builder.append(
            offset, timestamp=1, key=b"k", value=b"\xff\xfe %d" % (base + offset), headers=some
        )
    return bytes(builder.build())


def read(raw: bytes) -> list[tuple[bytes, list[tuple[str, bytes | None]]]]:
    records, found = fetcher.MemoryRecords(raw), []
    while records.has_next():
        got = records.next_batch()
        assert got.validate_crc()
        found += [(record.value, list(record.headers)) for record in got]
    return found


@pytest.mark.parametrize("codec", range(5), ids=["none", "gzip", "snappy", "lz4", "zstd"])
def test_a_header_name_that_is_no_utf8_is_escaped_and_the_others_are_read(codec: int) -> None:
    raw = batch([("a", b"1")], [(Raw("x"), b"\xff"), ("null", None)], [], codec=codec)

    assert read(raw) == [
        (b"\xff\xfe 0", [("a", b"1")]),
        (b"\xff\xfe 1", [("\\xff\\xfe\x00", b"\xff"), ("null", None)]),
        (b"\xff\xfe 2", []),
    ]


def test_batches_before_and_after_it_are_read() -> None:
    raw = batch([("a", b"1")]) + batch([(Raw("x"), b"")], base=7) + batch([("b", b"2")], base=9)

    assert [value for value, _ in read(raw)] == [b"\xff\xfe 0", b"\xff\xfe 7", b"\xff\xfe 9"]


def test_a_fetch_cut_off_in_mid_batch_ends_with_the_last_whole_one() -> None:
    whole = batch([("a", b"1")])
    raw = whole + batch([(Raw("x"), b"")])[:-1]

    assert len(read(raw)) == 1
    assert fetcher.MemoryRecords(raw).size_in_bytes() == MemoryRecords(raw).size_in_bytes()


def test_aiokafka_alone_cannot() -> None:
    """Once it can, shared/lenient_records.py has had its day."""
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(batch([(Raw("x"), b"")])).next_batch())
