"""Digests of short sessions, for the golden file; as a program it prints one, for other ways of running the market."""

from __future__ import annotations

import sys

from feedsim.events import Digest
from feedsim.instruments import NS_PER_S
from feedsim.market.laws import LAWS
from feedsim.playback.merge import Merger
from feedsim.sources.synthetic import START_NS, SyntheticSource

TO_CLOSE_S = 7 * 3600 + 29 * 60 + 55  # from 09:30 to 16:59:55
SESSIONS = {
    # name: (start, seconds, seed)
    "open": (START_NS, 60, 0),
    "midday": (START_NS + 3 * 3600 * NS_PER_S + 1, 120, 2**63 - 1),
    "break": (START_NS + TO_CLOSE_S * NS_PER_S, 3600 + 60, 20250821),
}


def digest(start_ns: int, seconds: int, seed: int) -> str:
    """Of everything that all symbols tell, in the tape's order."""
    source = SyntheticSource(seed=seed, symbols=tuple(LAWS), start_ns=start_ns)
    total = Digest()
    total.update(Merger(source.info.symbols).merge(source.read(start_ns + seconds * NS_PER_S)))
    return total.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(digest(START_NS, int(sys.argv[1]), seed=7))
