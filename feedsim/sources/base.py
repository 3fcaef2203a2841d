"""What a source is: anything that yields tables of events by windows of time, and can be put back where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from feedsim.events import Table

Tables = dict[str, Table]
"""Rows by channel; channels without rows are absent."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before it is read."""

    kind: str
    """synthetic, recording, seed, sierra, dbn or csv."""
    name: str
    """How the user names it: a path or `synthetic:…`."""
    symbols: tuple[str, ...]
    """Roots, sorted; the `symbol` columns hold indices into this."""
    channels: tuple[str, ...]
    """The channels that the source itself yields, in rank order."""
    start_ns: int
    """The available time of the first row, or earlier."""
    end_ns: int | None
    """The first nanosecond after the last row's available time; None where there is no end."""
    identity: Mapping[str, Any]
    """What fixes every byte of the source, as JSON values: enough to open it again (`kind`, `path` or `seed`, options)
    and to notice that it changed (sizes, times or hashes of files)."""
    contracts: Mapping[str, str] = field(default_factory=dict)
    """Raw contract names by symbol, where they differ from it."""
    ordered: bool = False
    """True for a feedsim recording: it has every channel in the tape's final order, nothing is computed again."""
    notes: tuple[str, ...] = ()
    """What a user should know: columns that are missing, records that were dropped, times that were reconciled."""
    leadership: tuple[str, float] | None = None
    """Which symbol leads a generated session (NQ_leads, ES_leads, balanced) and how much; None where nobody decided."""


@runtime_checkable
class Source(Protocol):
    """A session's data. `feedsim.testing.check_source` holds an implementation to this contract.

    - Rows come in the order of (avail, own), each channel's table sorted by it; `ts` and `avail` are nanoseconds UTC.
    - `read(a)` and then `read(b)` yield together exactly what `read(b)` alone would, whatever a ≤ b.
    - `save()` and `restore()` put a source of the same `info` back to any earlier or later position.
    """

    @property
    def info(self) -> SourceInfo: ...

    def read(self, until_ns: int) -> Tables:
        """The rows not read yet that are available before `until_ns`. Raises SourceError for data that is wrong."""
        ...

    def seek(self, ns: int) -> None:
        """Go to the first row whose available time is at or after `ns`, as if all before had been read.

        A source that can only run forward starts again and reads up to there.
        """
        ...

    def save(self) -> bytes:
        """The position (and, for a market, the whole state), small enough to keep many."""
        ...

    def restore(self, state: bytes) -> None: ...

    def close(self) -> None: ...
