"""Whether each scenario is what it says: its signature against ordinary sessions of the same seeds.

d is Cohen's; AUC is that of one feature between the scenario's windows and windows of the same times in `normal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import confluence
from benchmarks.report import Figure, against, at_least, beside, within
from feedsim.market.config import START_NS, MarketConfig
from feedsim.market.market import SymbolMarket
from feedsim.market.schedule import Schedule
from feedsim.market.sheets import Sheets
from feedsim.market.windows import DrawnPhase, DrawnWindow

SEEDS = 24
MINUTES = 60
FROM_NS = START_NS + 45 * 60 * 1_000_000_000  # 10:15, when the open is over
PIN_STRENGTH = 4  # column of the context rows, the VIX before the options
SECOND_NS = 1_000_000_000

Floats = npt.NDArray[np.float64]


class Session(NamedTuple):
    """One symbol's hour by second: mid and depth at its end; range, delta, volume and time with a wide spread in it."""

    mid: Floats
    high: Floats
    low: Floats
    delta: Floats
    volume: Floats
    wide: Floats
    depth: Floats
    pin_strength: Floats
    trades: npt.NDArray[np.int64]
    windows: tuple[DrawnWindow, ...]


@cache
def play(scenario: str, seed: int, symbol: str = "ES", minutes: int = MINUTES) -> Session:
    """An hour of a scenario."""
    config = MarketConfig(scenario=scenario, symbols=(symbol,))
    schedule = Schedule(config.find(), seed=seed, minutes=minutes)
    market = SymbolMarket(symbol, config, schedule, seed=seed, start_ns=FROM_NS)
    sheets = Sheets()
    parts = [(trades.copy(), l1.copy()) for trades, l1, *_ in market.run(FROM_NS + minutes * 60 * SECOND_NS, sheets)]
    trades, l1 = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    strength = np.concatenate([rows[:, PIN_STRENGTH] for _, rows in market.context])
    return _by_second(trades, l1, minutes * 60, strength, tuple(schedule.block(0).windows))


def _by_second(
    trades: npt.NDArray[np.int64],
    l1: npt.NDArray[np.int64],
    seconds: int,
    strength: Floats,
    windows: tuple[DrawnWindow, ...],
) -> Session:
    ends = FROM_NS + np.arange(1, seconds + 1) * SECOND_NS
    last = np.searchsorted(l1[:, 0], ends, side="left") - 1
    at = (trades[:, 0] - FROM_NS) // SECOND_NS
    mids = (l1[:, 1] + l1[:, 2]) / 2
    high, low = (np.empty(seconds) for _ in range(2))
    starts = np.r_[0, last[:-1]]
    for second, (first, until) in enumerate(zip(starts, last, strict=True)):
        high[second], low[second] = mids[first : until + 1].max(), mids[first : until + 1].min()
    held = np.diff(l1[:, 0], append=ends[-1]) * (l1[:, 2] - l1[:, 1] > 1)
    return Session(
        mid=mids[last],
        high=high,
        low=low,
        delta=np.bincount(at, trades[:, 2] * trades[:, 3], seconds).astype(float),
        volume=np.bincount(at, trades[:, 2], seconds).astype(float),
        wide=np.bincount(np.clip((l1[:, 0] - FROM_NS) // SECOND_NS, 0, seconds - 1), held / SECOND_NS, seconds).astype(
            float
        ),
        depth=(l1[last, 3] + l1[last, 4]) / 2,
        pin_strength=strength,
        trades=trades,
        windows=windows,
    )


# ----------------------------------------------------------------------------------------------------------- measures


def cohen(one: Floats, other: Floats) -> float:
    """The difference of the means over the pooled deviation."""
    return float((one.mean() - other.mean()) / np.sqrt((one.var() + other.var()) / 2))


def auc(one: Floats, other: Floats) -> float:
    """The probability that one of the first is above one of the others."""
    order = np.argsort(np.concatenate([one, other]), kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    return float((ranks[: len(one)].sum() - len(one) * (len(one) + 1) / 2) / (len(one) * len(other)))


def variance_ratio(mid: Floats, long_s: int, short_s: int) -> float:
    """Mean square of moves over the longer horizon by that over the shorter, each by its length; 1: a random walk."""
    long, short = (np.mean((mid[h:] - mid[:-h]) ** 2) / h for h in (long_s, short_s))
    return float(long / short)


def vwap(session: Session) -> Floats:
    """From the start of the session on, at each second's mid."""
    volume = np.maximum(np.cumsum(session.volume), 1)
    return np.cumsum(session.volume * session.mid) / volume


def crossings(session: Session) -> int:
    """How often one-minute closes change the side of VWAP."""
    side = np.sign(session.mid - vwap(session))[59::60]
    side = side[side != 0]
    return int((side[1:] != side[:-1]).sum())


def span(session: Session) -> float:
    return float(session.high.max() - session.low.min())


def _phases(scenario: str, name: str, *, failed: bool | None = None) -> Iterator[tuple[int, DrawnWindow, DrawnPhase]]:
    for seed in range(SEEDS):
        for window in play(scenario, seed).windows:
            for phase in window.phases:
                if phase.phase.name == name and phase.end <= MINUTES * 60 and failed in (None, window.failed):
                    yield seed, window, phase


def _moves(scenario: str, seed: int, start: int, end: int) -> tuple[float, float]:
    """Ticks and delta as a share of volume, from one second to another."""
    session = play(scenario, seed)
    move = session.mid[end - 1] - session.mid[max(start - 1, 0)]
    return move, session.delta[start:end].sum() / max(session.volume[start:end].sum(), 1)


def signature(scenario: str, name: str, *, failed: bool | None = None) -> tuple[Floats, Floats]:
    """(move, delta / volume) of all phases of a name and of the same times in normal sessions; mirrored ones turned."""
    found, ordinary = [], []
    for seed, window, phase in _phases(scenario, name, failed=failed):
        sign = -1.0 if window.mirror else 1.0
        found.append([sign * value for value in _moves(scenario, seed, phase.start, phase.end)])
        ordinary.append([sign * value for value in _moves("normal", seed, phase.start, phase.end)])
    return np.array(found), np.array(ordinary)


# ---------------------------------------------------------------------------------------------------------- scenarios


def _hours(scenario: str) -> list[Session]:
    return [play(scenario, seed) for seed in range(SEEDS)]


def _normal() -> list[Figure]:
    crossed = [crossings(session) for session in _hours("normal")]
    moved = np.array([session.mid[-1] - session.mid[0] for session in _hours("normal")])
    delta = np.array([session.delta.sum() / session.volume.sum() for session in _hours("normal")])
    return [
        within("VWAP crossed an hour, median", float(np.median(crossed)), 3, 15),
        against("|t| of the mean return", abs(moved.mean()) / (moved.std() / SEEDS**0.5), 2),
        against("|t| of the mean delta", abs(delta.mean()) / (delta.std() / SEEDS**0.5), 2),
        *confluence.ordinary(),
    ]


def _trend(scenario: str) -> list[Figure]:
    sign = 1 if scenario == "trend_up" else -1
    sigma = np.std([session.mid[-1] - session.mid[0] for session in _hours("normal")])
    hours = _hours(scenario)
    drift = [sign * (session.mid[-1] - session.mid[0]) for session in hours]
    beyond = [np.mean(sign * (session.mid - vwap(session)) > 0) for session in hours]
    ratio = [variance_ratio(session.mid, 300, 30) for session in hours]
    adverse = [_adverse(session.mid * sign) / span(session) for session in hours]
    parts = [sign * _two_minutes(name) for name in (scenario, "normal")]
    ds = [cohen(*(part[:, column] for part in parts)) for column in range(2)]
    delta = [
        np.array([sign * session.delta.sum() / session.volume.sum() for session in _hours(name)])
        for name in (scenario, "normal")
    ]
    return [
        at_least("drift over σ of an ordinary hour, median", float(np.median(drift) / sigma), 1.0),
        at_least("share of time beyond VWAP, median", float(np.median(beyond)), 0.75),
        within("variance ratio 5 min / 30 s, median", float(np.median(ratio)), 1.1, 1.8),
        against("largest adverse move over range, median", float(np.median(adverse)), 0.5),
        at_least("d of delta / volume over a session", cohen(*delta), 1.0),
        at_least("AUC of delta / volume over a session", auc(*delta), 0.85),
        beside("d of moves, of delta / volume in 120 s", f"{ds[0]:.2f}, {ds[1]:.2f}"),
    ]


def _two_minutes(scenario: str) -> Floats:
    return np.array(
        [_moves(scenario, seed, at, at + 120) for seed in range(SEEDS) for at in range(0, MINUTES * 60, 120)]
    )


def _adverse(path: Floats) -> float:
    return float((np.maximum.accumulate(path) - path).max())


def _chop() -> list[Figure]:
    ratio = [variance_ratio(session.mid, 300, 15) for session in _hours("chop")]
    spans = [np.array([span(session) for session in _hours(name)]) for name in ("chop", "normal")]
    crossed = [float(np.mean([crossings(session) for session in _hours(name)])) for name in ("chop", "normal")]
    return [
        against("variance ratio 5 min / 15 s, median", float(np.median(ratio)), 0.75),
        against("range over the ordinary one", spans[0].mean() / spans[1].mean(), 0.6),
        at_least("VWAP crossings over the ordinary ones", crossed[0] / crossed[1], 2),
        at_least("AUC of the range", 1 - auc(*spans), 0.85),
    ]


def _pin() -> list[Figure]:
    ratio = [variance_ratio(session.mid, 600, 30) for session in _hours("gamma_pin")]
    away = [np.concatenate(each) for each in map(_distances, ("gamma_pin", "normal"))]
    strength = np.concatenate([session.pin_strength for session in _hours("gamma_pin")])
    pinned = [np.array([each.mean() for each in _distances(name)]) for name in ("gamma_pin", "normal")]
    return [
        against("distance to the strike over the ordinary one", away[0].mean() / away[1].mean(), 0.35),
        against("variance ratio 10 min / 30 s, median", float(np.median(ratio)), 0.7),
        at_least("pin strength, mean", float(strength.mean()), 0.5),
        at_least("share of time within 6 ticks", float(np.mean(away[0] <= 6)), 0.6),
        at_least("AUC of the mean distance", 1 - auc(*pinned), 0.85),
    ]


def _distances(scenario: str) -> list[Floats]:
    return [np.abs(_from_pin(session)) for session in _hours(scenario)]


def _from_pin(session: Session) -> Floats:
    """Ticks from the strike that was nearest to the start, where a pinned day holds the price."""
    away: Floats = session.mid - round(session.mid[0] / 20) * 20
    return away


def _news() -> list[Figure]:
    found: dict[str, list[float]] = {name: [] for name in ("v1", "r1", "r5", "r15", "wide", "depth", "lull")}
    for seed, _, phase in _phases("news_spike", "shock"):
        session, at = play("news_spike", seed), phase.start
        if at < 600 or at + 900 > MINUTES * 60:
            continue
        before = slice(at - 600, at)
        spans = [np.ptp(session.mid[at - 600 + 60 * k : at - 540 + 60 * k]) for k in range(10)]
        usual = float(np.mean(spans))
        found["v1"].append(session.volume[at : at + 60].sum() / (session.volume[before].sum() / 10))
        found["r1"].append(_range(session, at, at + 60) / usual)
        found["r5"].append(_range(session, at + 240, at + 300) / usual)
        found["r15"].append(_range(session, at + 840, at + 900) / usual)
        found["wide"].append(session.wide[at : at + 10].mean())
        found["depth"].append(session.depth[at : at + 10].mean() / play("normal", seed).depth[at : at + 10].mean())
        found["lull"].append(session.volume[before].mean() / play("normal", seed).volume[before].mean())
    median = {name: float(np.median(values)) for name, values in found.items()}
    return [
        within("minute 1: volume over the 10 minutes before", median["v1"], 8, 20),
        within("minute 1: range", median["r1"], 8, 20),
        within("minute 5: range", median["r5"], 2, 4),
        within("minute 15: range", median["r15"], 1.5, 3),
        at_least("first 10 s: share of time with a wide spread", median["wide"], 0.2),
        against("first 10 s: depth over an ordinary one", median["depth"], 0.3),
        beside("volume of the lull over an ordinary one", f"{median['lull']:.2f}"),
    ]


def _range(session: Session, start: int, end: int) -> float:
    return float(session.high[start:end].max() - session.low[start:end].min())


def _absorption(scenario: str) -> list[Figure]:
    quiet, ordinary = signature(scenario, "absorption")
    broken, usual = signature(scenario, "breakout")
    moves = [rows[:, 0].mean() for rows in (quiet, broken, usual)]
    return [
        at_least("absorption: d of delta / volume", cohen(quiet[:, 1], ordinary[:, 1]), 1.0),
        at_least("absorption: AUC of delta / volume", auc(quiet[:, 1], ordinary[:, 1]), 0.85),
        against("absorption: |mean move|, ticks", abs(quiet[:, 0].mean()), 2.5),
        at_least("absorption: volume at its price over a mean level", float(np.median(list(_walls(scenario)))), 4),
        at_least("breakout: d of the move", cohen(broken[:, 0], usual[:, 0]), 2.0),
        at_least("breakout: AUC of the move", auc(broken[:, 0], usual[:, 0]), 0.85),
        beside("moves of absorption, breakout, an ordinary one", ", ".join(f"{move:.1f}" for move in moves)),
        _failing(scenario),
    ]


def _walls(scenario: str) -> Iterator[float]:
    """Volume at the most traded price of each absorption over that of a mean price at that time of a normal hour."""
    for seed, _, phase in _phases(scenario, "absorption"):
        here, there = (_by_price(play(name, seed), phase) for name in (scenario, "normal"))
        if len(here) and len(there):
            yield float(here.max() / there.mean())


def _by_price(session: Session, phase: DrawnPhase) -> Floats:
    """Volume at each price that traded."""
    low, high = FROM_NS + phase.start * SECOND_NS, FROM_NS + phase.end * SECOND_NS
    inside = session.trades[(session.trades[:, 0] >= low) & (session.trades[:, 0] < high)]
    if not len(inside):
        return np.empty(0)
    by_price = np.bincount(inside[:, 1] - inside[:, 1].min(), inside[:, 2]).astype(float)
    return by_price[by_price > 0]


def _failing(scenario: str) -> Figure:
    windows = [window for seed in range(4 * SEEDS) for window in _schedule(scenario, seed).block(0).windows]
    return within("hard negatives", sum(window.failed for window in windows) / len(windows), 0.2, 0.3)


def _schedule(scenario: str, seed: int) -> Schedule:
    return Schedule(MarketConfig(scenario=scenario).find(), seed=seed, minutes=MINUTES)


def _confluence() -> list[Figure]:
    broken, usual = signature("confluence_breakout", "breakout", failed=False)
    agreed = np.mean((broken[:, 0] > 0) & (broken[:, 1] > 0))
    return [
        at_least("breakout: move in ticks, median", float(np.median(broken[:, 0])), 6),
        at_least("breakout: d of the move", cohen(broken[:, 0], usual[:, 0]), 2.0),
        at_least("breakout: AUC of the move", auc(broken[:, 0], usual[:, 0]), 0.85),
        at_least("move and delta agree", float(agreed), 0.85),
        *confluence.breakouts(),
        _failing("confluence_breakout"),
    ]


def _divergence() -> list[Figure]:
    found, ordinary = signature("delta_divergence", "divergence")
    after = np.array(
        [
            (-1 if window.mirror else 1)
            * _moves("delta_divergence", seed, phase.start, min(phase.start + 120, 3600))[0]
            for seed, window, phase in _phases("delta_divergence", "reversal", failed=False)
        ]
    )
    contrast = [rows[:, 0] / 5 - rows[:, 1] / 0.2 for rows in (found, ordinary)]
    joint = [np.mean((rows[:, 0] >= 2) & (rows[:, 1] < -0.15)) for rows in (found, ordinary)]
    return [
        at_least("d of the move", cohen(found[:, 0], ordinary[:, 0]), 1.0),
        at_least("|d| of delta / volume", -cohen(found[:, 1], ordinary[:, 1]), 1.0),
        at_least("price up on falling delta, share of windows", float(joint[0]), 0.7),
        beside("the same in ordinary ones", f"{joint[1]:.3f}"),
        at_least("reversal of 3 ticks in 2 minutes", float(np.mean(after <= -3)), 0.65),
        at_least("AUC of move minus delta", auc(*contrast), 0.85),
        _failing("delta_divergence"),
    ]


def _by_the_clock(scenario: str) -> Figure:
    """Mutual information of label and time of session, in bits, less what shuffled labels have."""
    bins, seeds = 10, 200
    labels, times = [], []
    for seed in range(seeds):
        truth = (
            Schedule(MarketConfig(scenario=scenario).find(), seed=seed, minutes=MINUTES)
            .block(0)
            .truth[: MINUTES * 60 : 10]
        )
        labels += [each.label != "none" for each in truth]
        times += [at * bins // len(truth) for at in range(len(truth))]
    told, when = np.array(labels), np.array(times)
    shuffled = np.random.default_rng(0).permutation(told)
    return against(
        "label and time of session, bits", information(told, when) - information(shuffled, when), 0.05, digits=4
    )


def information(one: npt.NDArray[np.bool_], other: npt.NDArray[np.int64]) -> float:
    """Mutual information in bits."""
    joint = np.array([[np.mean((one == a) & (other == b)) for b in np.unique(other)] for a in (False, True)])
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log2(joint[there] / product[there])).sum())


CHECKS: dict[str, Callable[[], list[Figure]]] = {
    "normal": _normal,
    "trend_up": lambda: _trend("trend_up"),
    "trend_down": lambda: _trend("trend_down"),
    "chop": _chop,
    "gamma_pin": _pin,
    "news_spike": _news,
    "orderflow_accumulation": lambda: _absorption("orderflow_accumulation"),
    "orderflow_distribution": lambda: _absorption("orderflow_distribution"),
    "confluence_breakout": _confluence,
    "delta_divergence": _divergence,
}
BY_THE_CLOCK = (
    "news_spike",
    "orderflow_accumulation",
    "orderflow_distribution",
    "confluence_breakout",
    "delta_divergence",
)


def run() -> list[Figure]:
    figures: list[Figure] = []
    for scenario, check in CHECKS.items():
        told = check() + ([_by_the_clock(scenario)] if scenario in BY_THE_CLOCK else [])
        figures += [figure._replace(name=f"{scenario}: {figure.name}") for figure in told]
    return figures
