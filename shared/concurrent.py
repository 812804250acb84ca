"""Several messages at once in one consumer, by ``faststream-concurrent-aiokafka``.

It runs handlers as tasks and commits the lowest contiguous offset. It commits the offset of a
handler that raises, too; ours never does: ``shared.stage`` turns every failure into a record, a
retry or a dead letter. Imported only where used, so that other services do not carry it.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import ConsumerRebalanceListener
from faststream.kafka import KafkaBroker

# In a rebalance, what is under way gets this long before its partitions go.
_FLUSH_S = 2.0
_COMMIT_EVERY = 5
_COMMIT_AFTER_S = 0.2


def middlewares(concurrency: int) -> tuple[Any, ...]:
    """Return what the broker needs to run ``concurrency`` handlers at once."""
    if concurrency == 1:
        return ()
    from faststream_concurrent_aiokafka import KafkaConcurrentProcessingMiddleware  # noqa: PLC0415

    return (KafkaConcurrentProcessingMiddleware,)


def rebalance_listener(broker: KafkaBroker) -> ConsumerRebalanceListener:
    """Return the listener that commits what is done before partitions go to another member."""
    from faststream_concurrent_aiokafka import ConsumerRebalanceListener as Flush  # noqa: PLC0415

    return Flush.from_context(broker.context, _FLUSH_S)


@contextlib.asynccontextmanager
async def concurrently(broker: KafkaBroker, concurrency: int) -> AsyncIterator[None]:
    """Run up to ``concurrency`` handlers at once within the block."""
    if concurrency == 1:
        yield
        return
    from faststream_concurrent_aiokafka import (  # noqa: PLC0415
        initialize_concurrent_processing,
        stop_concurrent_processing,
    )

    await initialize_concurrent_processing(
        broker.context,
        concurrency_limit=concurrency,
        commit_batch_size=_COMMIT_EVERY,
        commit_batch_timeout_sec=_COMMIT_AFTER_S,
    )
    try:
        yield
    finally:
        await stop_concurrent_processing(broker.context)
