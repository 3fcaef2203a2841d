"""Long work in steps: whoever does it may see to other things between two of them."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Each `next` does a step; the last one gives the result."""


def whole(steps: Steps[T]) -> T:
    """All the steps at once."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
