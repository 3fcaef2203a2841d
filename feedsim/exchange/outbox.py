"""What accounts hear, in the order in which it happened: numbered when it becomes due, and kept for a resume."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable

from feedsim.wire.messages import Error, Private

KEPT = 10_000  # private events an account


class Outbox:
    """`delay` gives the ns until an account hears of its k-th report, of something that happened at a time."""

    def __init__(self, delay: Callable[[str, int, int], int]) -> None:
        self._delay = delay
        self._waiting: list[tuple[int, int, str, Private | Error]] = []
        self._put = 0
        self._reports: defaultdict[str, int] = defaultdict(int)
        self._due: defaultdict[str, int] = defaultdict(int)
        self._last_n: defaultdict[str, int] = defaultdict(int)
        self._kept: defaultdict[str, deque[Private]] = defaultdict(lambda: deque(maxlen=KEPT))

    @property
    def next_due_ns(self) -> int | None:
        return self._waiting[0][0] if self._waiting else None

    def put(self, account: str, event: Private | Error, ns: int) -> None:
        """Something happened at `ns`; no report overtakes another of its account."""
        self._reports[account] += 1
        due = max(ns + self._delay(account, self._reports[account], ns), self._due[account])
        self._due[account] = due
        self._put += 1
        heapq.heappush(self._waiting, (due, self._put, account, event))

    def take(self, now_ns: int) -> list[tuple[str, Private | Error]]:
        """What is due, numbered; each is given once."""
        taken = []
        while self._waiting and self._waiting[0][0] <= now_ns:
            _, _, account, event = heapq.heappop(self._waiting)
            if isinstance(event, Private):
                event.n = self._last_n[account] = self._last_n[account] + 1
                self._kept[account].append(event)
            taken.append((account, event))
        return taken

    def release(self) -> None:
        """Everything is due at once: the session's clock begins anew."""
        self._waiting = [(-1, put, account, event) for _, put, account, event in sorted(self._waiting)]
        self._due.clear()

    def since(self, account: str, n: int) -> list[Private] | None:
        """What an account heard after `n`; None where that is not known any more."""
        kept = self._kept[account]
        if n > self._last_n[account] or n < self._last_n[account] - len(kept):
            return None
        return [event for event in kept if event.n > n]

    def last_n(self, account: str) -> int:
        return self._last_n[account]
