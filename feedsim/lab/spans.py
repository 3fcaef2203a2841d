"""What a session says of itself, as spans of time: labels, phases and outcomes, strikes that pin, where trading stands.

One symbol's rows of the channels `truth`, `context` and `status`, in order, chunk by chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from feedsim.events import INT_NULL, Table
from feedsim.instruments import NS_PER_S

HOLDS_S = 60  # a row of truth holds until the next one, at most so long; a longer gap is a closed market
PINNED = 0.3  # pin strength: on most days it is below 0.1, on a pinned one above 0.4
NO_LABEL = "none"
NOT_TRADING = frozenset({"pre_open", "halt", "auction", "closed"})  # phases of `status`


@dataclass(frozen=True, slots=True)
class Span:
    """[start_ns, end_ns) in which one thing is so."""

    start_ns: int
    end_ns: int
    name: str
    side: int = 0
    """Of a label: 1 long, -1 short."""
    window: int = INT_NULL
    """Of a phase."""
    outcome: str = ""
    """Of a phase that ends its window."""


@dataclass(slots=True)
class _Runs:
    """Rows joined to spans while they say the same."""

    spans: list[Span] = field(default_factory=list)
    _open: bool = False

    def add(self, ts: int, name: str | None, side: int, window: int, outcome: str | None) -> None:
        """The next row; it holds for a second until another one says more. Without a name it says nothing."""
        last = self.spans[-1] if self._open else None
        if last is not None and ts - last.end_ns < HOLDS_S * NS_PER_S:
            last = self.spans[-1] = replace(last, end_ns=ts)
        told = name is not None and name != NO_LABEL
        if told and last is not None and last.end_ns == ts and _same(last, name, side, window):
            self.spans[-1] = replace(last, end_ns=ts + NS_PER_S, outcome=outcome or last.outcome)
        elif told:
            assert name is not None
            self.spans.append(Span(ts, ts + NS_PER_S, name, side, window, outcome or ""))
        self._open = told


def _same(span: Span, name: str | None, side: int, window: int) -> bool:
    return (span.name, span.side, span.window) == (name, side, window)


@dataclass(slots=True)
class Spans:
    """Of one symbol."""

    _labels: _Runs = field(default_factory=_Runs)
    _phases: _Runs = field(default_factory=_Runs)
    _pins: _Runs = field(default_factory=_Runs)
    _pauses: list[Span] = field(default_factory=list)
    _stands: tuple[int, str] | None = None

    def add_truth(self, rows: Table) -> None:
        columns = (rows.array(name).tolist() for name in ("ts", "label", "side", "phase", "window_id", "outcome"))
        for ts, label, side, phase, window, outcome in zip(*columns, strict=True):
            self._labels.add(ts, label, side, INT_NULL, None)
            self._phases.add(ts, phase, 0, window, outcome)

    def add_context(self, rows: Table) -> None:
        columns = (rows.array("ts").tolist(), rows.array("pin_strength").tolist(), rows.ragged("pin_levels").lists(1))
        for ts, strength, levels in zip(*columns, strict=True):
            strike = repr(levels[0]) if levels and strength >= PINNED else None
            self._pins.add(ts, strike, 0, INT_NULL, None)

    def add_status(self, rows: Table) -> None:
        for ts, phase, reason in zip(*(rows.array(name).tolist() for name in ("ts", "phase", "reason")), strict=True):
            if phase == "epoch":
                continue
            if self._stands is not None:
                self._pauses.append(Span(self._stands[0], ts, self._stands[1]))
            self._stands = (ts, f"{phase}: {reason}") if phase in NOT_TRADING else None

    @property
    def labels(self) -> list[Span]:
        """Where a label other than none is told."""
        return self._labels.spans

    @property
    def phases(self) -> list[Span]:
        return self._phases.spans

    @property
    def pins(self) -> list[tuple[Span, float]]:
        """Where a strike holds the price, and which one."""
        return [(span, float(span.name)) for span in self._pins.spans]

    def pauses(self, end_ns: int) -> list[Span]:
        """Where nothing trades; one that has not ended lasts until `end_ns`."""
        if self._stands is None or self._stands[0] >= end_ns:
            return list(self._pauses)
        return [*self._pauses, Span(self._stands[0], end_ns, self._stands[1])]
