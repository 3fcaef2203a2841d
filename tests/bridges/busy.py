"""Two busy minutes of ES and NQ."""

from functools import partial

from tests.support.memory_source import small_session

BUSY = partial(small_session, seconds=120, rate=60)
