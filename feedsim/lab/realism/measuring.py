"""All metrics of one or many sessions, by the names of the reference values.

`measure` pools sessions: it may be given a generator, and keeps no session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from feedsim.lab.realism.arrays import Aggressors, Session, aggressors
from feedsim.lab.realism.clock import Clock
from feedsim.lab.realism.depth import Depth, Placement
from feedsim.lab.realism.flow import Flow
from feedsim.lab.realism.minutes import MinuteFacts, minutes_of
from feedsim.lab.realism.pair import Fear, Pair
from feedsim.lab.realism.quoting import Quoting

Values = dict[str, dict[str, float]]
"""By block (a symbol, PAIR or VIX) and name."""


class SymbolFacts:
    """What is known of one symbol from all its sessions."""

    def __init__(self) -> None:
        self.quoting, self.flow, self.clock = Quoting(), Flow(), Clock()
        self.depth, self.placement, self.minutes = Depth(), Placement(), MinuteFacts()
        self.trades = self.quotes = 0

    def add(self, session: Session) -> None:
        """Everything that it tells."""
        orders = None
        if session.trades is not None and len(session.trades):
            orders = aggressors(session.trades)
            self.trades += len(orders)
            self.clock.add_trades(session, orders)
        if session.quotes is not None and len(session.quotes):
            self.quotes += len(session.quotes)
            self._add_quotes(session, orders)
            self.minutes.add(minutes_of(session))
        if session.books is not None and len(session.books):
            self.depth.add(session.books, session.end_ns)
        if session.orders is not None and session.quotes is not None:
            self.clock.add_book(session, orders)
            self.placement.add(session)
        if orders is not None and bool(np.any(orders.side)):
            self._add_flow(session, orders.take(orders.side != 0))

    def _add_quotes(self, session: Session, orders: Aggressors | None) -> None:
        self.quoting.add(session, orders)
        self.flow.add_quotes(session)

    def _add_flow(self, session: Session, orders: Aggressors) -> None:
        self.flow.add_orders(orders)
        if session.quotes is not None and len(session.quotes):
            self.flow.add_against_quotes(session, orders)

    def values(self) -> dict[str, float]:
        """By name of the metric; NaN where the sessions do not tell enough."""
        return {
            **self.quoting.values(),
            **self.flow.values(self.quoting.depth.mean),
            **self.clock.values(),
            **self.depth.values(),
            **self.placement.values(),
            **self.minutes.values(),
        }


class Facts:
    """What is known of all symbols."""

    def __init__(self) -> None:
        self.symbols: dict[str, SymbolFacts] = {}
        self.pair, self.fear = Pair(), Fear()

    def add(self, sessions: Mapping[str, Session], *, only_minutes: bool = False) -> None:
        """The sessions of one stretch of time by symbol; of some only what minutes and the pair tell is wanted."""
        for symbol, session in sessions.items():
            facts = self.symbols.setdefault(symbol, SymbolFacts())
            if not only_minutes:
                facts.add(session)
            elif _quoted(session):
                facts.minutes.add(minutes_of(session))
        es, nq = sessions.get("ES"), sessions.get("NQ")
        if es is not None and nq is not None and _quoted(es) and _quoted(nq):
            self.pair.add(es, nq)
        if es is not None and es.vix is not None and _quoted(es):
            self.fear.add(es)

    def add_night(self, symbol: str, session: Session) -> None:
        """Of a whole session only how wide the spread is outside of regular trading."""
        self.symbols.setdefault(symbol, SymbolFacts()).quoting.add_night(session)

    def values(self) -> Values:
        found = {symbol: facts.values() for symbol, facts in self.symbols.items()}
        return {**found, "PAIR": self.pair.values(), "VIX": self.fear.values()}


def measure(sessions: Iterable[Mapping[str, Session]]) -> Values:
    """The metrics of sessions by symbol, pooled: {"ES": {"spread1_time": …}, "NQ": …, "PAIR": …, "VIX": …}."""
    facts = Facts()
    for stretch in sessions:
        facts.add(stretch)
    return facts.values()


def _quoted(session: Session) -> bool:
    return session.quotes is not None and len(session.quotes) > 0
