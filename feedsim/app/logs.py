"""The log, on stderr: for people, or as JSON lines."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logs(*, json: bool) -> None:
    """Write feedsim's log and warnings of libraries to stderr."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # A client that breaks its handshake or vanishes is not the operator's problem; refusals are counted in metrics.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    renderer = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if json else []),
            renderer,
        ],
        # What stderr is when something is said, not what it was when the log was set up.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
