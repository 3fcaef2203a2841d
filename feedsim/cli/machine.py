"""Commands about this machine: what it can do, and how fast."""

from __future__ import annotations

from feedsim.errors import FeedsimError


def doctor() -> None:
    """Say what this machine can do.

    \b
    feedsim doctor
    """
    raise FeedsimError("doctor is not there yet")


def bench() -> None:
    """Measure this machine in a minute.

    \b
    feedsim bench
    """
    raise FeedsimError("bench is not there yet")
