"""The latent prices of ES and NQ, as the markets that they steer have them."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.instruments import trading_day
from feedsim.market.config import FOLLOWS, MarketConfig
from feedsim.market.factors import DAILY, VELOCITY
from feedsim.market.market import SymbolMarket
from feedsim.market.modulators import HALT
from feedsim.market.scenario import Phase, Scenario, Window
from feedsim.market.sheets import Sheets
from tests.market.runs import HOUR_NS, MINUTE_NS, NINE_THIRTY_NS, SECOND_NS, market, run

Values = npt.NDArray[np.float64]
SHARED = ("common", "own", "mood", "fear", "x", "late", "vix")
"""Of the factors: what does not belong to one symbol."""


def _latent(of: SymbolMarket, minutes: int, start_ns: int = NINE_THIRTY_NS) -> tuple[Values, Values]:
    """The latent price of the symbol, in ticks, and its activity, every 50 ms."""
    x, busy = [], []
    for minute in range(minutes):
        for _ in of.run(start_ns + minute * MINUTE_NS + 1, Sheets()):
            pass
        x.append(of._x.copy())
        busy.append(of._busy.copy())
    return np.concatenate(x), np.concatenate(busy)


def _own(**always: Any) -> Scenario:
    return Scenario(name="own", about="mine", always=always)


@settings(max_examples=6)
@given(st.integers(0, 2**63 - 1), st.sampled_from(["normal", "news_spike"]))
def test_every_market_of_a_seed_has_the_same_latent_prices(seed: int, scenario: str) -> None:
    """Whichever symbol runs it; a micro's is that of its big contract."""
    config = MarketConfig(scenario=scenario)
    markets = {symbol: market(symbol, seed=seed, config=config) for symbol in FOLLOWS}
    latent = {symbol: _latent(of, 2)[0] for symbol, of in markets.items()}
    for symbol, followed in FOLLOWS.items():
        assert np.array_equal(latent[symbol], latent[followed])
    for name in SHARED:
        assert len({of._factors[name].tobytes() for of in markets.values()}) == 1, name


def test_a_micro_with_another_tick_has_the_same_price() -> None:
    """In its own ticks."""
    coarse = MarketConfig(ticks={"MES": 0.5})
    big, micro = (_latent(market(symbol, config=coarse), 1)[0] for symbol in ("ES", "MES"))
    assert np.array_equal(big, 2 * micro)


def test_they_start_where_they_are_told() -> None:
    """In ticks of the symbol."""
    config = MarketConfig(prices={"ES": 6500.0, "NQ": 24_000.0}, ticks={"NQ": 0.5})
    assert _latent(market("ES", config=config), 1)[0][0] == pytest.approx(26_000, abs=20)
    assert _latent(market("NQ", config=config), 1)[0][0] == pytest.approx(48_000, abs=60)


def test_both_move_together() -> None:
    """Minute by minute nearly as one; NQ moves more."""
    moves: dict[str, list[Values]] = {"ES": [], "NQ": []}
    for seed in range(3):
        for symbol, parts in moves.items():
            x = _latent(market(symbol, seed=seed), 20)[0]
            parts.append(np.diff(np.log(x[::1200])))
    es, nq = (np.concatenate(parts) for parts in moves.values())
    assert np.corrcoef(es, nq)[0, 1] > 0.85
    assert 1.0 < nq.std() / es.std() < 1.7


def _lead(leadership: str, strength: float) -> float:
    """How much more NQ of before tells of ES than ES of before of NQ: correlations over lags of 50 to 500 ms.

    NQ's latent price is told a step later than that of ES.
    """
    config = MarketConfig(leadership=leadership, strength=strength)
    es, nq = (np.diff(_latent(market(symbol, config=config), 10)[0]) for symbol in ("ES", "NQ"))
    es, nq = es[:-1], nq[1:]
    found = 0.0
    for lag in range(1, 11):
        found += np.corrcoef(nq[:-lag], es[lag:])[0, 1] - np.corrcoef(es[:-lag], nq[lag:])[0, 1]
    return found


def test_the_leader_leads() -> None:
    """And nobody does where nobody shall."""
    assert _lead("NQ_leads", 0.4) > 0.2
    assert _lead("ES_leads", 0.4) < -0.2
    assert abs(_lead("balanced", 0.4)) < 0.1
    assert abs(_lead("NQ_leads", 0.0)) < 0.1


def test_a_drift_drifts() -> None:
    """With the same chances the price gets higher by the drift, and volatility widens what chance does."""
    plain, up, wild = (
        _latent(market(config=MarketConfig(scenario=scenario)), 5)[0]
        for scenario in (_own(), _own(mu=0.1), _own(sigma_mult=3.0))
    )
    drift = up - plain
    assert (np.diff(drift[::1200]) > 0).all()
    assert np.diff(wild).std() > 2 * np.diff(plain).std()


def test_volatility_is_that_of_the_vix() -> None:
    """Twice the VIX, about twice the moves; and the same scenario is busier where it moves more."""
    calm, wild = (
        _latent(market(seed=seed, config=MarketConfig(vix=vix)), 10)[0] for vix, seed in ((12.0, 5), (24.0, 5))
    )
    assert np.diff(wild).std() / np.diff(calm).std() == pytest.approx(2, rel=0.2)


def test_activity_follows_the_season_and_the_scenario() -> None:
    """Nights are quiet, and a factor is a factor."""
    _, day = _latent(market(), 5)
    midnight_ns = NINE_THIRTY_NS - 9 * HOUR_NS - HOUR_NS // 2
    _, night = _latent(market(start_ns=midnight_ns), 5, midnight_ns)
    assert day.mean() > 5 * night.mean()
    assert (night > 0).all()
    _, quiet = _latent(market(config=MarketConfig(scenario=_own(act_mult=0.5))), 5)
    assert quiet == pytest.approx(0.5 * day)


@pytest.mark.parametrize(("code", "symbol", "other"), [(0, "ES", "NQ"), (1, "NQ", "ES")])
def test_gamma_acts_on_its_own_index(code: int, symbol: str, other: str) -> None:
    """Without puts dealers are long gamma and damp, without calls they amplify: that index, and the other one not."""

    def deviations(side: str) -> tuple[float, float]:
        moved = []
        for name in (symbol, other):
            of = market(name)
            of._options[side][code] = 0.0
            of._before[1][side][code] = 0.0
            moved.append(float(np.diff(_latent(of, 5)[0]).std()))
        return moved[0], moved[1]

    damped, amplified = deviations("puts"), deviations("calls")
    assert amplified[0] / damped[0] == pytest.approx(1.4 / 0.75, rel=0.05)
    assert amplified[1] == pytest.approx(damped[1], rel=0.05), "but for the VIX, which follows ES"


@pytest.mark.parametrize(("start_ns", "seconds"), [(NINE_THIRTY_NS, 5), (NINE_THIRTY_NS - 6 * HOUR_NS, 10)])
def test_a_leap_pauses_trading(start_ns: int, seconds: int) -> None:
    """Half a percent within a second: for five seconds by day, ten by night, as the table of limits says."""
    leap = Phase(name="leap", seconds=(40.0, 40.0), lean={"jump": 130.0})
    once = Scenario(name="own", about="mine", windows=(Window(phases=(leap,), gap_s=(40.0, 50.0)),))
    of = market(start_ns=start_ns, config=MarketConfig(scenario=once))
    _latent(of, 3, start_ns)
    (since_ns, why), (until_ns, over) = of.halts[:2]
    assert (why, over) == (VELOCITY, 0)
    assert until_ns - since_ns == seconds * SECOND_NS


@pytest.mark.parametrize(("day", "halted"), [(25, True), (28, False)])
def test_the_halt_of_former_years(day: int, halted: bool) -> None:
    """By option, 16:15 to 16:30, up to 2021-06-25; nothing happens in it, also where a session starts in it."""
    close_ns = trading_day(date(2021, 6, day)).rth_close_ns
    config = MarketConfig(legacy_halt=True)
    for start_ns in (close_ns + 14 * MINUTE_NS, close_ns + 20 * MINUTE_NS):
        of = market(start_ns=start_ns, config=config)
        told = run(of, [start_ns + 20 * MINUTE_NS])
        quiet = (told.l1[:, 0] >= close_ns + 15 * MINUTE_NS) & (told.l1[:, 0] < close_ns + 30 * MINUTE_NS)
        assert quiet.any() != halted
        since_ns = max(start_ns, close_ns + 15 * MINUTE_NS)
        assert of.halts == ([(since_ns, DAILY), (close_ns + 30 * MINUTE_NS, 0)] if halted else [])
    plain = market(start_ns=close_ns + 20 * MINUTE_NS)
    run(plain, [close_ns + 21 * MINUTE_NS])
    assert plain.halts == []


def test_an_early_close_is_a_close() -> None:
    """Its last minutes are as busy as those of a whole day are, compared with the hour before."""
    closes = [trading_day(date(2025, 11, day)).rth_close_ns for day in (26, 28)]
    ratios = []
    for close_ns in closes:
        last, before = (
            _latent(market(start_ns=at), 2, at)[1].mean()
            for at in (close_ns - 2 * MINUTE_NS, close_ns - 32 * MINUTE_NS)
        )
        ratios.append(last / before)
    assert min(ratios) > 5
    assert ratios[1] == pytest.approx(ratios[0], rel=0.6)


def test_a_fall_to_the_limit_stops_trading() -> None:
    """At 7 % below, for both symbols at once; the latent price stands as long and is never below."""
    config = MarketConfig(scenario=_own(mu=-30.0))
    markets = [market(symbol, config=config) for symbol in ("ES", "NQ")]
    latent = [_latent(of, 12)[0] for of in markets]
    (one, other) = (of.halts for of in markets)
    assert one[0][0] == other[0][0]
    assert one[0][1] == other[0][1] == 1
    halted = round((one[0][0] - NINE_THIRTY_NS) / 50_000_000)
    for x, start in zip(latent, (20_000, 72_000), strict=True):
        assert x.min() >= 0.93 * start - 1
        assert (x[halted:] == x[halted]).all()
        assert (np.diff(x[: halted - 200]) != 0).all()
    assert latent[0][halted] == pytest.approx(0.93 * 20_000, abs=1)


def test_a_fall_at_night_stops_at_the_dynamic_limit() -> None:
    """A pause of two minutes, after which trading goes on."""
    midnight_ns = NINE_THIRTY_NS - 9 * HOUR_NS - HOUR_NS // 2
    of = market(start_ns=midnight_ns, config=MarketConfig(scenario=_own(mu=-40.0)))
    _latent(of, 12, midnight_ns)
    (stop, why), (go_on, nothing), *_ = of.halts
    assert (why, nothing) == (4, 0)
    assert (go_on - stop) / 1e9 == pytest.approx(120, abs=1)


def test_a_planned_halt_is_told() -> None:
    """From its second on."""
    of = market(config=MarketConfig(scenario=_own(halt=1.0)))
    _latent(of, 1)
    assert of.halts == [(NINE_THIRTY_NS, 6)]
    assert (of._rows[:, HALT] == 6).all()
