"""Digests of short sessions, for the golden file; as a program it prints one, for other ways of running the market."""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from feedsim.events import Digest
from feedsim.instruments import NS_PER_S
from feedsim.market.config import FOLLOWS, START_NS, MarketConfig
from feedsim.market.scenarios import SCENARIOS
from feedsim.playback.merge import Merger
from feedsim.sources.synthetic import SyntheticSource

TO_CLOSE_S = 7 * 3600 + 29 * 60 + 55  # from 09:30 to 16:59:55


class Session(NamedTuple):
    """What is digested: all that the symbols tell in some seconds from a start on."""

    scenario: str = "normal"
    symbols: tuple[str, ...] = ("ES", "NQ")
    start_ns: int = START_NS
    seconds: int = 180
    seed: int = 0
    minutes: float | None = 5
    """Of the session, which scales its windows."""


SESSIONS = {
    **{name: Session(scenario=name) for name in SCENARIOS},
    "normal, four symbols": Session(symbols=tuple(FOLLOWS), seconds=60, minutes=None),
    "normal, midday": Session(start_ns=START_NS + 3 * 3600 * NS_PER_S + 1, seconds=120, seed=2**63 - 1, minutes=None),
    "normal, over the break": Session(
        start_ns=START_NS + TO_CLOSE_S * NS_PER_S, seconds=3600 + 60, seed=20250821, minutes=None
    ),
}


def digest(session: Session, *, parts: int = 1) -> str:
    """Of everything that is told, in the tape's order; read at once or in parts of one length."""
    source = SyntheticSource(
        config=MarketConfig(symbols=session.symbols, scenario=session.scenario),
        seed=session.seed,
        minutes=session.minutes,
        start_ns=session.start_ns,
    )
    total, merger = Digest(), Merger(source.info.symbols)
    for part in range(1, parts + 1):
        total.update(merger.merge(source.read(session.start_ns + session.seconds * NS_PER_S * part // parts)))
    return total.hexdigest()


if __name__ == "__main__":
    with np.errstate(over="ignore"):  # without a compiler numpy would warn of the streams, which wrap around
        sys.stdout.write(digest(Session(scenario=sys.argv[1], seconds=int(sys.argv[2]), seed=7)))
