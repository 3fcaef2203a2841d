"""The bar that a command shows while it reads or makes sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Told = Callable[[int, int], None]
"""How many of how many steps are done."""


@contextmanager
def shown(notes: Console, what: str) -> Iterator[Told]:
    """On stderr, where that is a terminal."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, steps: progress.update(bar, completed=done, total=steps)
