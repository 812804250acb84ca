"""Records whose header names are no UTF-8, which Kafka takes and aiokafka does not read.

Kafka does not look into header names, and clients in Go and C write whatever bytes they are given.
One such record would stop every reader of its partition for ever: aiokafka raises before it says
which record it was. See docs/decisions/0002-what-any-client-may-write.md.
"""

from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords


class _Lenient(bytearray):
    """A buffer that decodes any name; what is no UTF-8 in it is escaped."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Lenient(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # its only seam
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        if not isinstance(self._buffer, _Lenient):
            self._buffer = _Lenient(self._buffer)


class _Records:
    """What a fetch brought, batch by batch, as aiokafka's fetcher asks for it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._records = MemoryRecords(raw)
        self._at = 0

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        start, self._at = self._at, self._at + self._size_at(self._at)
        raw = self._raw[start : self._at]
        batch = self._records.next_batch()
        return batch if _readable(raw) else _LenientBatch(raw)

    def _size_at(self, start: int) -> int:
        """Return the bytes of a batch: 8 of offset, 4 of length, and the length itself."""
        return 12 + int.from_bytes(self._raw[start + 8 : start + 12], "big")


def _readable(batch: bytes) -> bool:
    try:
        for _ in MemoryRecords(batch).next_batch() or ():
            pass
    except UnicodeDecodeError:
        return False
    return True


def read_any_header_name() -> None:
    """Make all consumers of this process read what Kafka takes."""
    fetcher.MemoryRecords = _Records
