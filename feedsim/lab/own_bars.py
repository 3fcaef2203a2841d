"""Two tellings of the same bars: those that a source has itself, and those computed from its trades."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import numpy as np

from feedsim.events import INT_NULL, Table
from feedsim.instruments import NS_PER_S
from feedsim.lab.report import BarFacts

COMPARED = ("open", "high", "low", "close", "volume", "delta")

Key = tuple[int, int, int]
"""symbol, tf_s, start (ns)"""
Row = tuple[float, ...]
"""The values of COMPARED; NaN where a bar does not have one, which is then not compared."""
Waiting = OrderedDict[Key, Row]


class BarComparison:
    """Takes both tellings, each in order of the bars' ends; holds what one has told and the other has not yet."""

    def __init__(self, symbols: tuple[str, ...], *, start_ns: int, end_ns: int | None = None) -> None:
        """Bars that are not wholly in [start_ns, end_ns] are left out: not all of their trades are there."""
        self.symbols = symbols
        self._bounds = (start_ns, end_ns)
        self._waiting: tuple[Waiting, Waiting] = (OrderedDict(), OrderedDict())
        self._facts: dict[tuple[int, int], BarFacts] = {}
        self._range: dict[tuple[int, int], tuple[int, int]] = {}

    def add_own(self, bars: Table) -> None:
        for key, row in self._rows(bars):
            first, last = self._range.get(key[:2], (key[2], key[2]))
            self._range[key[:2]] = (min(first, key[2]), max(last, key[2]))
            self._meet(0, key, row)

    def add_computed(self, bars: Table) -> None:
        for key, row in self._rows(bars):
            self._meet(1, key, row)

    def _rows(self, bars: Table) -> Iterator[tuple[Key, Row]]:
        start_ns, end_ns = self._bounds
        keys = zip(*(bars.array(name).tolist() for name in ("symbol", "tf_s", "ts")), strict=True)
        for key, *values in zip(keys, *(_floats(bars, name) for name in COMPARED), strict=True):
            symbol, tf_s, ts = key
            if ts >= start_ns and (end_ns is None or ts + tf_s * NS_PER_S <= end_ns):
                yield (symbol, tf_s, ts), tuple(values)

    def _meet(self, which: int, key: Key, row: Row) -> None:
        other = self._waiting[1 - which].pop(key, None)
        if other is None:
            self._waiting[which][key] = row
            return
        own, computed = (row, other) if which == 0 else (other, row)
        if not own[COMPARED.index("volume")] and not computed[COMPARED.index("volume")]:
            return  # flat: both say that nothing traded
        facts = self._of(key)
        facts.compared += 1
        differing = [name for name, a, b in zip(COMPARED, own, computed, strict=True) if a != b and a == a and b == b]
        facts.equal += not differing
        for name in differing:
            facts.differing[name] = facts.differing.get(name, 0) + 1

    def _of(self, key: Key) -> BarFacts:
        symbol, tf_s, _ = key
        if (symbol, tf_s) not in self._facts:
            self._facts[symbol, tf_s] = BarFacts(
                symbol=self.symbols[symbol], tf_s=tf_s, compared=0, equal=0, differing={}, own_only=0, computed_only=0
            )
        return self._facts[symbol, tf_s]

    def settle(self, until_ns: int, *, at_end: bool = False) -> None:
        """Both tellings have come to `until_ns`: a bar that ended before it, and that one of them lacks, is missing."""
        volume = COMPARED.index("volume")
        own, computed = self._waiting
        while own and _end_ns(next(iter(own))) < until_ns:
            key, row = own.popitem(last=False)
            if row[volume]:
                self._of(key).own_only += 1
        while computed and _end_ns(key := next(iter(computed))) < until_ns:
            first, last = self._range.get(key[:2], (key[2], key[2] - 1))
            if key[2] > last and not at_end:
                break  # it is a hole only if the source tells another bar after it
            del computed[key]
            if first <= key[2] <= last:
                self._of(key).computed_only += 1

    def facts(self) -> list[BarFacts]:
        """What was found, when both are told to their ends."""
        self.settle(1 << 62, at_end=True)
        return [self._facts[key] for key in sorted(self._facts)]


def _end_ns(key: Key) -> int:
    return key[2] + key[1] * NS_PER_S


def _floats(bars: Table, name: str) -> list[float]:
    column = bars.array(name)
    floats: list[float] = np.where(column == INT_NULL, np.nan, column).tolist()
    return floats
