"""`python -m benchmarks [name …]`: run all benchmarks, or the named ones; exit code 1 if a promise is not kept."""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks import (
    databento,
    durability,
    fanout,
    first_event,
    generator,
    impact,
    leadlag,
    market,
    memory,
    pacing,
    reactions,
    scenarios,
)
from benchmarks.report import Figure, print_figures

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "first-event": first_event.run,
    "generator": generator.run,
    "pacing": pacing.run,
    "fanout": fanout.run,
    "durability": durability.run,
    "memory": memory.run,
    "market": market.run,
    "scenarios": scenarios.run,
    "impact": impact.run,
    "leadlag": leadlag.run,
    "reactions": reactions.run,
    "databento": databento.run,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    kept = [print_figures(name, BENCHMARKS[name]()) for name in names or BENCHMARKS]
    return 0 if all(kept) else 1


sys.exit(main(sys.argv[1:]))
