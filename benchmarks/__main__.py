"""`python -m benchmarks [name …]`: run the benchmarks of speed, or those named; exit code 1 if a promise is not kept.

Prints one table and writes benchmarks/results.json. `all` is everything: days of memory too, and what the market is
like.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    databento,
    durability,
    encode,
    fanout,
    fills,
    first_event,
    generator,
    growth,
    impact,
    latency,
    leadlag,
    market,
    memory,
    pacing,
    reactions,
    scenarios,
    single,
    tapping,
    trading,
)
from benchmarks.native import NoCompilerError
from benchmarks.report import Figure, print_figures, write_results

SPEED: dict[str, Callable[[], list[Figure]]] = {
    "fanout": fanout.run,
    "single": single.run,
    "encode": encode.run,
    "generator": generator.run,
    "pacing": pacing.run,
    "latency": latency.run,
    "tap": tapping.run,
    "growth": growth.run,
    "market": market.run,
    "first-event": first_event.run,
    "durability": durability.run,
}
LONG: dict[str, Callable[[], list[Figure]]] = {
    "memory": memory.run,
    "scenarios": scenarios.run,
    "impact": impact.run,
    "leadlag": leadlag.run,
    "reactions": reactions.run,
    "databento": databento.run,
    "fills": fills.run,
    "trading": trading.run,
}
BENCHMARKS = SPEED | LONG
RESULTS = Path(__file__).parent / "results.json"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS and name != "all"]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}, all", file=sys.stderr)
        return 2
    told: dict[str, list[Figure]] = {}
    for name in BENCHMARKS if "all" in names else names or SPEED:
        started = time.monotonic()
        try:
            told[name] = BENCHMARKS[name]()
        except NoCompilerError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        write_results(RESULTS, told)
    return 0 if print_figures(told) and told else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
