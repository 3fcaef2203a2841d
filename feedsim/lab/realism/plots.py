"""The plots of a study: what each symbol did beside the reference values."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from feedsim.lab.realism.charts import REAL, Chart, reach
from feedsim.lab.realism.clock import A_DECADE
from feedsim.lab.realism.days import Days
from feedsim.lab.realism.flow import FLOW_WINDOWS_S, RESPONSE_LAGS, SIGN_LAGS, TRADE_WINDOWS_S
from feedsim.lab.realism.measuring import SymbolFacts
from feedsim.lab.realism.minutes import RETURN_LAGS
from feedsim.lab.realism.pair import HORIZONS, Pair
from feedsim.lab.realism.study import Study
from feedsim.lab.realism.sums import LEAST, Logit
from feedsim.lab.realism.targets import HALF_HOURS, Target, curve, targets

SPREADS = 8
SIZES = (1, 2, 5, 10, 20, 50, 100, 200)
LARGEST_LOG10 = 2.6
IMBALANCE_BINS = 15
GAPS_FROM, GAPS_TO = 2, 11  # log10 ns
BAND = 0.6


def plots_of(study: Study) -> Iterator[tuple[str, list[str]]]:
    """(name, drawings) of each symbol and of the pair; those without anything are left out."""
    for symbol, facts in study.facts.symbols.items():
        drawn = [_spread(symbol, facts), _depth(symbol, facts), _imbalance(symbol, facts), _sizes(symbol, facts)]
        drawn += [_signs(symbol, facts), _response(symbol, facts), _flow(symbol, facts), _gaps(symbol, facts)]
        drawn += [_minutes(symbol, facts)]
        if symbol in study.days:
            drawn += [_shape(symbol, study.days[symbol], what) for what in ("volU_30m", "sigU_30m")]
        if any(drawn):
            yield symbol, [chart.svg() for chart in drawn if chart is not None]
    pair = _pair(study.facts.pair)
    if pair is not None:
        yield "ES and NQ", [pair.svg()]


def _bands(block: str, name: str) -> dict[str, Target]:
    """Reference values of one metric by what follows its name."""
    there = (target for target in targets() if target.block == block and target.low is not None)
    return {target.name.partition(".")[2]: target for target in there if target.name.partition(".")[0] == name}


def _show_bands(chart: Chart, block: str, name: str, place: Callable[[str], float | None], width: float = BAND) -> None:
    for word, target in _bands(block, name).items():
        x = place(word)
        if x is None or target.low is None or target.high is None:
            continue
        chart.band(x, target.low, target.high, width=width)
        if target.measured is not None:
            chart.points([x], [target.measured], REAL)


def _always(x: float) -> Callable[[str], float]:
    """The place of a metric that is one value."""
    return lambda _: x


def _spread(symbol: str, facts: SymbolFacts) -> Chart | None:
    time = facts.quoting.time_by_spread + facts.quoting.night_by_spread
    if not time.sum():
        return None
    shares = (time[: SPREADS + 1] / time.sum()).tolist()
    chart = Chart("share of time by spread", x=(-0.5, SPREADS + 0.5), y=(0, 1), under="ticks")
    chart.bars(range(SPREADS + 1), shares, width=BAND)
    real = curve(symbol, "spread")
    chart.points(range(1, len(real) + 1), real, REAL)
    chart.labels(range(SPREADS + 1), map(str, range(SPREADS + 1)))
    return chart


def _depth(symbol: str, facts: SymbolFacts) -> Chart | None:
    profile = facts.depth.profile().tolist()
    if not np.isfinite(profile).any():
        return None
    real = curve(symbol, "depth")
    chart = Chart("mean size of a level against the best", x=(0.5, 10.5), y=reach(profile, real), under="level")
    _show_bands(chart, symbol, "L2_L1", _always(2))
    _show_bands(chart, symbol, "L5_L1", _always(5))
    _show_bands(chart, symbol, "L10_L1", _always(10))
    chart.points(range(1, len(real) + 1), real, REAL)
    chart.line(range(1, 11), profile)
    chart.labels(range(1, 11), map(str, range(1, 11)))
    return chart


def _imbalance(symbol: str, facts: SymbolFacts) -> Chart | None:
    laws = ((facts.quoting.up, "kappa_up_I"), (facts.flow.buys, "kappa_buy_I"))
    if not any(law.count.sum() >= LEAST for law, _ in laws):
        return None
    chart = Chart("P(next move up), P(trade buys) by imbalance", x=(-1, 1), y=(0, 1), under="imbalance of the best")
    for (law, name), dashed in zip(laws, (False, True), strict=True):
        chart.line(*_binned(law), dashed=dashed)
        for target in _bands(symbol, name).values():
            assert target.measured is not None
            chart.line(law.x.tolist(), (1 / (1 + np.exp(-target.measured * law.x))).tolist(), REAL, dashed=dashed)
    chart.labels((-1, 0, 1), ("−1", "0", "1"))
    return chart


def _binned(law: Logit) -> tuple[list[float], list[float]]:
    edges = np.array_split(np.arange(law.BINS), IMBALANCE_BINS)
    counts = np.array([law.count[part].sum() for part in edges])
    yes = np.array([law.yes[part].sum() for part in edges])
    shares = np.divide(yes, counts, out=np.full(len(yes), np.nan), where=counts >= LEAST)
    return [float(law.x[part].mean()) for part in edges], shares.tolist()


def _sizes(symbol: str, facts: SymbolFacts) -> Chart | None:
    counts = facts.flow.by_size
    if counts.sum() < LEAST:
        return None
    above = 1 - np.concatenate(((0.0,), np.cumsum(counts)[:-1])) / counts.sum()
    there = np.flatnonzero(above[1:] > 0) + 1
    chart = Chart("market orders of at least so many lots", x=(0, LARGEST_LOG10), y=(-4, 0), under="lots", decades=True)
    chart.line(np.log10(there).tolist(), np.log10(above[there]).tolist())
    for target in _bands(symbol, "mo_p1").values():
        assert target.measured is not None
        chart.points([np.log10(2)], [np.log10(1 - target.measured)], REAL)
    for target in _bands(symbol, "mo_q99").values():
        assert target.measured is not None
        chart.points([np.log10(target.measured)], [-2], REAL)
    chart.labels(np.log10(SIZES).tolist(), map(str, SIZES))
    return chart


def _by_lag(title: str, under: str, lags: tuple[float, ...], *series: list[float]) -> Chart:
    """Lags that are no numbers on a line but steps, one after the other."""
    chart = Chart(title, x=(-0.5, len(lags) - 0.5), y=reach(*series, (0.05,)), under=under)
    chart.labels(range(len(lags)), (f"{lag:g}" for lag in lags))
    return chart


def _signs(symbol: str, facts: SymbolFacts) -> Chart | None:
    values = [facts.flow.signs.at(lag) for lag in SIGN_LAGS]
    if not np.isfinite(values).any():
        return None
    chart = _by_lag("autocorrelation of signs of market orders", "lag, orders", SIGN_LAGS, values, [0.55])
    _show_bands(chart, symbol, "sign_acf", lambda word: SIGN_LAGS.index(int(word)))
    chart.line(range(len(values)), values)
    return chart


def _response(symbol: str, facts: SymbolFacts) -> Chart | None:
    values = [mean.mean for mean in facts.flow.response.values()]
    if not np.isfinite(values).any():
        return None
    chart = _by_lag("move of the mid after a market order, ticks", "book events", RESPONSE_LAGS, values, [0.9])
    _show_bands(chart, symbol, "response_20", _always(RESPONSE_LAGS.index(20)))
    chart.line(range(len(values)), values)
    return chart


def _flow(symbol: str, facts: SymbolFacts) -> Chart | None:
    flow = [regression.r2 for regression in facts.flow.flow.values()]
    if not np.isfinite(flow).any():
        return None
    trade = [regression.r2 for regression in facts.flow.trade.values()]
    windows = [f"{window:g}" for window in FLOW_WINDOWS_S]
    title = "R² of moves on order flow, on trades (dashed)"
    chart = _by_lag(title, "seconds", FLOW_WINDOWS_S, flow, trade, [0.95])
    for name in ("ofi_r2", "ti_r2"):
        _show_bands(chart, symbol, name, windows.index)
    chart.line(range(len(flow)), flow)
    chart.line([FLOW_WINDOWS_S.index(window) for window in TRADE_WINDOWS_S], trade, dashed=True)
    return chart


def _gaps(symbol: str, facts: SymbolFacts) -> Chart | None:
    counts = facts.clock.by_log10_gap
    if counts.sum() < LEAST:
        return None
    shares = counts / counts.sum()
    centres = (np.arange(len(counts)) + 0.5) / A_DECADE
    shown = (centres > GAPS_FROM) & (centres < GAPS_TO)
    chart = Chart("gaps between book events", x=(GAPS_FROM, GAPS_TO), y=reach(shares[shown].tolist()))
    chart.bars(centres[shown].tolist(), shares[shown].tolist(), width=1 / A_DECADE)
    for target in _bands(symbol, "log10dt_mode_ns").values():
        assert target.measured is not None
        chart.upright(target.measured, "usual gap measured")
    chart.labels((3, 6, 9), ("1 µs", "1 ms", "1 s"))
    return chart


def _minutes(symbol: str, facts: SymbolFacts) -> Chart | None:
    absolute = [facts.minutes.absolute.at(lag) for lag in RETURN_LAGS]
    volume = [facts.minutes.log_volume.at(lag) for lag in RETURN_LAGS]
    if not np.isfinite(absolute).any():
        return None
    title = "autocorrelation of |return|, log volume (dashed)"
    chart = _by_lag(title, "minutes", RETURN_LAGS, absolute, volume, [0.9])
    for name in ("absacf_1m", "logv_acf_1m"):
        _show_bands(chart, symbol, name, lambda word: RETURN_LAGS.index(int(word)))
    chart.line(range(len(absolute)), absolute)
    chart.line(range(len(volume)), volume, dashed=True)
    return chart


def _shape(symbol: str, days: Days, what: str) -> Chart | None:
    values = days.shape(what).tolist()
    if not np.isfinite(values).any():
        return None
    title = "volume through regular trading" if what == "volU_30m" else "volatility through regular trading"
    chart = Chart(title, x=(-0.5, len(values) - 0.5), y=reach(values, (2.5,)), under="New York time")
    chart.bars(range(len(values)), values, width=BAND)
    _show_bands(chart, symbol, what, HALF_HOURS.index, width=0.9)
    chart.labels(range(0, len(values), 3), HALF_HOURS[::3])
    return chart


def _pair(pair: Pair) -> Chart | None:
    values = [regression.correlation for regression in pair.by_horizon.values()]
    if not np.isfinite(values).any():
        return None
    chart = Chart("correlation of returns by horizon", x=(-0.5, len(values) - 0.5), y=reach(values, (1.0,)))
    names = list(HORIZONS)
    for at, name in enumerate(names):
        _show_bands(chart, "PAIR", f"corr_{name}", _always(at))
    chart.line(range(len(values)), values)
    chart.labels(range(len(values)), names)
    return chart
