"""From a recording to a parameter set of the synthetic market: counted where counting is enough, else searched.

The search draws parameters near the best set so far, makes sessions with the same random numbers, and keeps what brings
the metrics of realism nearer to the recording's, in quarters of their bands.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from feedsim.lab.realism.arrays import Session, aggressors
from feedsim.lab.realism.generated import generated, sheets_with_log
from feedsim.lab.realism.measuring import measure
from feedsim.lab.realism.targets import targets
from feedsim.market.config import MarketConfig
from feedsim.market.preset_file import Compared
from feedsim.market.presets import AMOUNTS, SHARES, Preset

MINUTES = 10.0
SESSIONS = 3
FARTHEST = 4.0  # of a metric, in quarters of its band: beyond it counts no more
MANY = 200  # orders that tell sizes
ATOMS = (1, 2, 3, 5, 10)

BOUNDED: Mapping[str, float] = {"excitation_decay": 0.95, "sign_steering": 8.0, "sign_memory": 3.0}

Metrics = Mapping[str, float]


def counted(preset: Preset, symbol: str, sessions: list[Session], before: Metrics, measured: Metrics) -> Preset:
    """What follows from counting: sizes of market orders, depth, how busy it is."""
    changes: dict[str, object] = {"about": f"{symbol}, calibrated"}
    parts = [aggressors(session.trades) for session in sessions if session.trades is not None and len(session.trades)]
    sizes = np.concatenate([part.size for part in parts]) if parts else np.empty(0)
    if len(sizes) >= MANY:
        changes["trade_size"] = {size: float(max(round(1000 * np.mean(sizes == size)), 1)) for size in ATOMS}
        changes["trade_cap"] = int(sizes.max())
        tail = sizes[sizes > ATOMS[-1]]
        if len(tail) >= MANY // 10:
            changes["trade_tail"] = float(1.0 / np.mean(np.log(tail / ATOMS[-1])))
    depth = best_depth(sessions)
    if depth and math.isfinite(before.get("depth", math.nan)):
        changes["depth"] = tuple(level * depth / before["depth"] for level in preset.depth)
    if measured.get("orders_s", 0.0) > 0.0 and before.get("orders_s", 0.0) > 0.0:
        changes["hum"] = preset.hum * measured["orders_s"] / before["orders_s"]
    return replace(preset, **changes)  # type: ignore[arg-type] # of several types


def best_depth(sessions: list[Session]) -> float:
    """Median lots at a best price over the changes of the quotes."""
    sizes = [
        np.concatenate([session.quotes.bid_size, session.quotes.ask_size])
        for session in sessions
        if session.quotes is not None and len(session.quotes)
    ]
    return float(np.median(np.concatenate(sizes))) if sizes else 0.0


def metrics_of(symbol: str, sessions: list[Session]) -> dict[str, float]:
    """Those of realism that the sessions tell, with `depth` and `orders_s` (market orders a second)."""
    found = measure([{symbol: each} for each in sessions])[symbol]
    seconds = sum(session.end_ns - session.start_ns for session in sessions) / 1e9
    orders = sum(len(aggressors(session.trades)) for session in sessions if session.trades is not None)
    return {**found, "depth": best_depth(sessions), "orders_s": orders / seconds}


class Search:
    """Looks for a parameter set near a recording's metrics; the same seed finds the same in as many steps."""

    def __init__(self, symbol: str, config: MarketConfig, measured: Metrics, *, start_ns: int, seed: int) -> None:
        self._symbol = symbol
        self._config = replace(config, symbols=(symbol,))
        self._start_ns, self._seed = start_ns, seed
        self._chances = np.random.default_rng(seed)
        self._sheets = sheets_with_log()
        self._wanted = dict(wanted(symbol, measured))
        self.tried = 0

    def metrics(self, preset: Preset) -> dict[str, float]:
        """Of sessions that a parameter set makes."""
        config = replace(self._config, presets={self._symbol: preset})
        made = (
            generated(config, seed=seed, start_ns=self._start_ns, minutes=MINUTES, sheets=self._sheets)
            for seed in range(self._seed, self._seed + SESSIONS)
        )
        return metrics_of(self._symbol, [sessions[self._symbol] for sessions in made])

    def distance(self, metrics: Metrics) -> float:
        """Mean square of the distances from what is wanted, each at most FARTHEST."""
        far = [
            min(abs(metrics.get(name, math.inf) - value) / unit, FARTHEST) ** 2
            for name, (value, unit) in self._wanted.items()
        ]
        return sum(far) / len(far) if far else 0.0

    def distance_of(self, preset: Preset) -> float:
        """The same of the sessions that a parameter set makes."""
        return self.distance(self.metrics(preset))

    def run(self, preset: Preset, seconds: float, on_step: Callable[[float, float], None]) -> Preset:
        """The best set that was found in so many seconds; `on_step` is told the time that passed and the distance."""
        started = time.monotonic()
        best = self.distance_of(preset)
        while (passed := time.monotonic() - started) < seconds:
            on_step(passed, best)
            other = self._near(preset)
            distance = self.distance_of(other)
            self.tried += 1
            if distance < best:
                preset, best = other, distance
        return preset

    def _near(self, preset: Preset) -> Preset:
        """A few parameters a little or much elsewhere."""
        changes: dict[str, float] = {}
        names = self._chances.choice([*SHARES, *AMOUNTS], size=int(self._chances.integers(1, 5)), replace=False)
        for name in names.tolist():
            width = float(self._chances.choice([0.05, 0.2, 0.5]))
            value = max(float(getattr(preset, name)), 1e-3)
            if name in SHARES:
                odds = min(value, 0.999) / (1.0 - min(value, 0.999))
                odds *= math.exp(2.0 * width * self._chances.normal())
                value = odds / (1.0 + odds)
            else:
                value *= math.exp(width * self._chances.normal())
            changes[name] = min(value, BOUNDED.get(name, math.inf))
        return replace(preset, **changes)  # type: ignore[arg-type] # these fields are all floats


def wanted(symbol: str, measured: Metrics) -> Iterator[tuple[str, tuple[float, float]]]:
    """By metric the recording's value and a quarter of the band; rates and depth by a tenth of themselves."""
    for target in targets():
        value = measured.get(target.name, math.nan)
        if target.low is None or target.high is None:
            continue
        if target.block == symbol and math.isfinite(value):
            yield target.name, (value, (target.high - target.low) / 4)
    for name in ("depth", "orders_s"):
        if measured.get(name, 0.0) > 0.0:
            yield name, (measured[name], 0.1 * measured[name])


def compared(search_names: Mapping[str, object], measured: Metrics, before: Metrics, fitted: Metrics) -> list[Compared]:
    """A row for each metric that the recording tells."""
    return [
        Compared(metric=name, measured=measured[name], before=_finite(before, name), fitted=_finite(fitted, name))
        for name in search_names
    ]


def _finite(metrics: Metrics, name: str) -> float | None:
    value = metrics.get(name, math.nan)
    return value if math.isfinite(value) else None
