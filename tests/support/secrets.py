"""Secrets that nobody has to guess: the same each time, so that what two runs said can be compared."""

from __future__ import annotations

import itertools
from collections.abc import Callable


def secrets_in_turn() -> Callable[[int], str]:
    """Makes a first, a second, a third secret …; the size is not looked at."""
    numbers = itertools.count(1)
    return lambda _: f"secret-{next(numbers)}"
