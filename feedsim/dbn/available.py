"""Which schemas a session can be told in."""

from __future__ import annotations

from collections.abc import Sequence

from feedsim.dbn.layout import SCHEMAS
from feedsim.dbn.records import CHANNELS


def missing(schema: str, channels: Sequence[str], bar_tf_s: Sequence[int]) -> str:
    """What a session lacks for a schema, in words; empty if it has everything."""
    needed = "bar" if schema.startswith("ohlcv") else "l1" if schema.startswith("bbo") else CHANNELS.get(schema)
    if needed and needed not in channels:
        return f"the session has no {needed}"
    if needed == "bar" and SCHEMAS[schema].interval_s not in bar_tf_s:
        return f"bars here are of {', '.join(map(str, bar_tf_s))} s"
    return ""
