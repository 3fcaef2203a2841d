"""What the features tell inside and outside of true breakouts; `python -m benchmarks.confluence` fits their constants.

The constants are fitted on ordinary sessions alone, without any truth; what they come to in breakouts is only checked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.report import Figure, against, at_least, beside, within
from feedsim.events import Table
from feedsim.instruments import NS_PER_S
from feedsim.market.config import LONGEST_INTERVAL_MS, START_NS, MarketConfig
from feedsim.observe import Leadership
from feedsim.observe.confluence import scale_of
from feedsim.sources.synthetic import SyntheticSource

SEEDS = 24
FITTED_SEEDS = range(1000, 1040)
"""Others than those of the checks."""
MINUTES = 60
AT_MIN = 45  # 10:15, when the open is over
HOURS_MIN = (15, 90, 165, 240, 315)
"""Minutes after 09:30 at which sessions begin that tell of volatility, one after the other."""
PART_NS = 1800 * NS_PER_S
SYMBOLS = ("ES", "NQ")
HIGH = 0.6
MEAN, BELOW = 0.4, 0.86
"""Of the score in ordinary sessions: its mean, and the share of rows below `HIGH`, .85 at least with a little room."""

Floats = npt.NDArray[np.float64]


class Rows(NamedTuple):
    """One symbol's features of an hour, a row a second."""

    score: Floats
    regime: npt.NDArray[np.object_]
    inside: npt.NDArray[np.bool_]
    """Of a breakout that held, from when its label is told."""
    window: npt.NDArray[np.bool_]
    """Of any window."""


@cache
def play(scenario: str, seed: int, at_min: int = AT_MIN) -> dict[str, Rows]:
    """By symbol. A row at a second's end is of the truth of that second."""
    start_ns = START_NS + at_min * 60 * NS_PER_S
    config = MarketConfig(scenario=scenario, l2_interval_ms=LONGEST_INTERVAL_MS)
    source = SyntheticSource(config=config, seed=seed, minutes=MINUTES, start_ns=start_ns)
    features = Leadership(
        config.symbols, mode=config.leadership, strength=config.strength, with_context=True, anchor_ns=start_ns
    )
    told = Table.concatenate([features.observe(source.read(until_ns), until_ns + 1) for until_ns in _parts(start_ns)])
    inside, window = _truth(source)
    return {symbol: _rows(told, code, start_ns, inside, window) for code, symbol in enumerate(config.symbols)}


def _parts(start_ns: int) -> Iterator[int]:
    end_ns = start_ns + MINUTES * 60 * NS_PER_S
    yield from range(start_ns + PART_NS, end_ns + 1, PART_NS)


def _truth(source: SyntheticSource) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    inside, window = (np.zeros(MINUTES * 60, np.bool_) for _ in range(2))
    for drawn in source.schedule.block(0).windows:
        window[max(drawn.start, 0) : max(drawn.end, 0)] = True
        for each in drawn.phases:
            if each.phase.name == "breakout" and not drawn.failed:
                inside[max(each.start + round(each.phase.onset_s), 0) : max(each.end, 0)] = True
    return inside, window


def _rows(told: Table, code: int, start_ns: int, inside: npt.NDArray[np.bool_], window: npt.NDArray[np.bool_]) -> Rows:
    mine = told.take((told.array("symbol") == code) & (told.avail > start_ns))
    second = (mine.avail - start_ns) // NS_PER_S - 1
    return Rows(mine.array("confluence_score"), mine.array("volatility_regime"), inside[second], window[second])


def _scores(scenario: str, symbol: str) -> Iterator[Rows]:
    return (play(scenario, seed)[symbol] for seed in range(SEEDS))


def ordinary() -> list[Figure]:
    """The score of ordinary sessions."""
    figures = []
    for symbol in SYMBOLS:
        score = np.concatenate([rows.score for rows in _scores("normal", symbol)])
        figures += [
            within(f"{symbol} confluence, mean", float(score.mean()), 0.35, 0.45),
            against(f"{symbol} confluence ≥ {HIGH}, share of rows", float(np.mean(score >= HIGH)), 0.15, digits=3),
        ]
    return figures


def breakouts() -> list[Figure]:
    """The score in breakouts that held, and outside of all windows."""
    figures = []
    for symbol in SYMBOLS:
        told = list(_scores("confluence_breakout", symbol))
        inside, outside, between = (
            float(np.mean(np.concatenate([rows.score[mask] for rows, mask in zip(told, masks, strict=True)]) >= HIGH))
            for masks in (
                [rows.inside for rows in told],
                [~rows.window for rows in told],
                [rows.window & ~rows.inside for rows in told],
            )
        )
        figures += [
            at_least(f"{symbol} confluence ≥ {HIGH} in breakouts", inside, 0.7, digits=3),
            against(f"{symbol} confluence ≥ {HIGH} outside of windows", outside, 0.15, digits=3),
            beside(f"{symbol} the same in lulls, retests, failed ones", f"{between:.3f}"),
        ]
    return figures


def fitted(symbol: str) -> tuple[float, float]:
    """(`at_nothing`, `gain`) with which ordinary sessions have `MEAN` and `BELOW`, from the scores of today's scale."""
    today = scale_of(symbol)
    scores = np.concatenate([play("normal", seed)[symbol].score for seed in FITTED_SEEDS])
    agreed = (scores - today.at_nothing) / today.gain
    gain = (HIGH - MEAN) / float(np.quantile(agreed, BELOW) - agreed.mean())
    return MEAN - gain * float(agreed.mean()), gain


def regimes(symbol: str) -> dict[str, float]:
    """Shares of ordinary rows through the day."""
    starts = [HOURS_MIN[seed % len(HOURS_MIN)] for seed in FITTED_SEEDS]
    played = [play("normal", seed, at_min)[symbol] for seed, at_min in zip(FITTED_SEEDS, starts, strict=True)]
    regime = np.concatenate([rows.regime for rows in played])
    return {name: float(np.mean(regime == name)) for name in ("low_vol", "normal_vol", "high_vol")}


def main() -> None:
    for symbol in SYMBOLS:
        at_nothing, gain = fitted(symbol)
        shares = ", ".join(f"{name} {share:.2f}" for name, share in regimes(symbol).items())
        sys.stdout.write(f"{symbol}: Scale({at_nothing:.2f}, {gain:.2f}); {shares}\n")


if __name__ == "__main__":
    main()
