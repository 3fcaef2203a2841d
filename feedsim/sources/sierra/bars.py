"""The bars that chart files tell themselves, for comparison with those computed from the trades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from feedsim.events import INT_NULL, Table
from feedsim.instruments import NS_PER_S, root_of
from feedsim.sources.sierra.clock import BarState, bar_start
from feedsim.sources.sierra.clocks import bar_state
from feedsim.sources.sierra.ends import chart_of
from feedsim.sources.sierra.files import ALL, ChartFile
from feedsim.sources.sierra.lines import decode_block, times_ns
from feedsim.sources.sierra.routes import Routes
from feedsim.sources.text_lines import LineFile


def own_bars(files: Sequence[ChartFile], routes: Routes) -> Table:
    """Rows of the bar channel, each bar's last state, by (end, symbol); none of a chart whose clock is not known."""
    bars: dict[tuple[int, int, int], BarState] = {}
    for file in files:
        if file.type in (ALL, "basedata"):
            bars.update(_bars_of(file, routes))
    keys = sorted(bars)
    states = [bars[key] for key in keys]
    starts = np.array([start for _, _, start in keys], np.int64)
    ends = np.array([end for end, _, _ in keys], np.int64)
    columns = {
        "ts": starts,
        "symbol": [symbol for _, symbol, _ in keys],
        "tf_s": (ends - starts) // NS_PER_S,
        **{name: [getattr(state, name) for state in states] for name in ("open", "high", "low", "close")},
        "volume": [int(state.volume) if state.volume == state.volume else 0 for state in states],
        "delta": [_delta(state) for state in states],
    }
    return Table.build("bar", routes.symbols, columns, avail=ends)


def _delta(state: BarState) -> int:
    delta = state.ask_volume - state.bid_volume
    return int(delta) if delta == delta else INT_NULL


def _bars_of(file: ChartFile, routes: Routes) -> Iterator[tuple[tuple[int, int, int], BarState]]:
    """((end, symbol, start) in ns UTC, state) of every line with a bar, in the order of the file."""
    reader = LineFile(file.path)
    reader.size = file.size
    while (block := reader.read()) is not None:
        source = decode_block(block, str(file.path))
        found = [
            index
            for index, line in enumerate(source.lines)
            if line.type == "basedata" and routes.ticks.get(root_of(line.sym or "")) == chart_of(file, line)
        ]
        for index, stamp in zip(found, times_ns(source, found).tolist(), strict=True):
            line = source.lines[index]
            clock = routes.clock(file.day, chart_of(file, line))
            if clock is not None:
                start = bar_start(stamp) - clock.offset_ns
                symbol = routes.symbols.index(root_of(line.sym or ""))
                yield (start + clock.bar_ns, symbol, start), bar_state(line)
    reader.close()
