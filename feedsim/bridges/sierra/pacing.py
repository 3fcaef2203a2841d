"""How fast lines are written, so that a reader that takes 100 lines of a poll every 100 ms loses nothing.

At most `MOST` lines in any window of `WINDOW_S`. Trades past that wait; of quotes and of what hangs on bars the newest
of its kind waits. Quotes and trades of a chart never pass each other. Time is an argument.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable

from feedsim.bridges.base import BridgeCounts
from feedsim.bridges.sierra.lines import Line

MOST = 50
WINDOW_S = 0.101  # 100 ms, and what clocks differ by
QUOTES = MOST // 2  # of them in a window, while something else than trades waits too
MOST_TRADES = 100_000  # that wait; the oldest of more is lost, as a number missing in the seq


class Pacing:
    """What waits to be written. `take` what may be, write it, then say `written`; one batch at a time."""

    def __init__(self, counts: BridgeCounts, *, paced: bool, most_trades: int = MOST_TRADES) -> None:
        self.counts = counts
        self.lost: Counter[int] = Counter()
        """Trades that were lost since the last `take`, by chart."""
        self._paced, self._most_trades = paced, most_trades
        self._ticks: dict[int, Line] = {}
        self._rest: dict[Hashable, Line] = {}
        self._number = 0
        self._quotes: dict[int, int] = {}
        """The tick that is each chart's quote, if no trade of the chart waits behind it."""
        self._stale: dict[int, int] = {}
        """And if one does."""
        self._written: deque[tuple[float, int, int]] = deque()
        """(when, lines, quotes among them), within the window."""
        self._batch = (0, 0)
        self.trades = 0
        """That wait."""
        self._counted = 0
        """Of these, how many are counted as delayed."""

    def __bool__(self) -> bool:
        return bool(self._ticks or self._rest)

    # ------------------------------------------------------------------------------------------------------ waiting

    def offer(self, line: Line) -> None:
        """A line that was told now."""
        if line.is_trade:
            self._offer_trade(line)
        elif line.is_tick:
            self._offer_quote(line)
        elif self._paced:
            self.counts.conflated += line.key in self._rest
            self._rest[line.key] = line
        else:
            self._add(line)

    def _add(self, line: Line) -> None:
        self._number += 1
        self._ticks[self._number] = line

    def _offer_trade(self, line: Line) -> None:
        self._add(line)
        self.trades += 1
        quote = self._quotes.pop(line.chart, None)
        if quote is not None:
            self._stale[line.chart] = quote
        if self.trades > self._most_trades:
            self._lose_oldest()

    def _lose_oldest(self) -> None:
        number = next(number for number, line in self._ticks.items() if line.is_trade)
        self.lost[self._ticks.pop(number).chart] += 1
        self.counts.skipped += 1
        self.trades -= 1
        self._counted = max(self._counted - 1, 0)

    def _offer_quote(self, line: Line) -> None:
        chart = line.chart
        if self._paced and chart in self._quotes:
            self.counts.conflated += 1
            self._ticks[self._quotes[chart]] = line
            return
        if self._paced and chart in self._stale:
            self.counts.conflated += 1
            del self._ticks[self._stale.pop(chart)]
        self._add(line)
        self._quotes[chart] = self._number

    # ------------------------------------------------------------------------------------------------------ writing

    def take(self, now: float) -> list[Line]:
        """The lines to write now, in order."""
        self._forget(now)
        lines = sum(count for _, count, _ in self._written)
        quotes = sum(count for _, _, count in self._written)
        taken: list[Line] = []
        told_quotes = 0
        while (self._ticks or self._rest) and (not self._paced or lines + len(taken) < MOST):
            line = self._next(quotes + told_quotes)
            told_quotes += line.is_tick and not line.is_trade
            taken.append(line)
        self._batch = (len(taken), told_quotes)
        if self._paced:
            self.counts.delayed += max(self.trades - self._counted, 0)
            self._counted = self.trades
        return taken

    def _next(self, quotes: int) -> Line:
        if not self._ticks or (self._rest and not self.trades and quotes >= QUOTES):
            return self._rest.pop(next(iter(self._rest)))
        number = next(iter(self._ticks))
        line = self._ticks.pop(number)
        if line.is_trade:
            self.trades -= 1
            self._counted = max(self._counted - 1, 0)
        elif line.is_tick:
            for known in (self._quotes, self._stale):
                if known.get(line.chart) == number:
                    del known[line.chart]
        return line

    def written(self, now: float) -> None:
        """What was taken last is in the files since now at the latest."""
        self._written.append((now, *self._batch))

    def _forget(self, now: float) -> None:
        while self._written and now - self._written[0][0] >= WINDOW_S:
            self._written.popleft()

    def next_s(self, now: float) -> float | None:
        """How long until `take` gives something; None where nothing waits."""
        if not self:
            return None
        self._forget(now)
        if not self._paced or sum(count for _, count, _ in self._written) < MOST:
            return 0.0
        return self._written[0][0] + WINDOW_S - now
