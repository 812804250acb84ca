"""Logs: one line of plain key=value text per event, with the run it is about."""

import logging

import structlog


def set_up_logging(level: str) -> None:
    """Send structlog and the standard library's logs to stderr, alike."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("aiokafka", "httpx", "httpx2", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns at each start that topics are not made by themselves, which is how we want it.
    logging.getLogger("openbell.bus").setLevel(logging.ERROR)
    # It misses a listener that we hand over ourselves (shared.concurrent), and tells of each start.
    logging.getLogger("faststream_concurrent_aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(),
    )
