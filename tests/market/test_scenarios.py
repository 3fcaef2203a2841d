"""Every scenario of the table, as a market."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from feedsim.market.config import MarketConfig
from feedsim.market.scenario import Phase, Scenario, Window
from feedsim.market.scenarios import SCENARIOS
from tests.market import invariants
from tests.market.runs import (
    MINUTE_NS,
    NINE_THIRTY_NS,
    SECOND_NS,
    logging_sheets,
    market,
    run,
    session,
)

every_scenario = pytest.mark.parametrize("name", SCENARIOS)
both = pytest.mark.parametrize("symbol", ["ES", "NQ"])


@every_scenario
@both
def test_all_invariants_hold(name: str, symbol: str) -> None:
    """A minute into which the whole scenario is pressed: its rows are sound and its log rebuilds the book."""
    invariants.check_all(session(symbol, name, 1), NINE_THIRTY_NS, NINE_THIRTY_NS + MINUTE_NS)


@every_scenario
@both
def test_they_hold_for_longer(name: str, symbol: str) -> None:
    """And at a scenario's own pace from the middle of its first hour on."""
    start_ns = NINE_THIRTY_NS
    of = market(symbol, seed=1, config=MarketConfig(scenario=name))
    told = run(of, [start_ns + 3 * MINUTE_NS])
    invariants.check_times(told, start_ns, start_ns + 3 * MINUTE_NS)
    invariants.check_quotes(told)
    invariants.check_prints(told)
    invariants.check_trade_ids(told)


@every_scenario
def test_it_is_what_its_name_says(name: str) -> None:
    """Named as in the table, told in one sentence."""
    scenario = SCENARIOS[name]
    assert scenario.name == name
    assert scenario.about
    assert "\n" not in scenario.about


def test_scenarios_differ() -> None:
    """Each tells something that no other does."""
    told = {session("NQ", name, 1).trades.tobytes() for name in SCENARIOS}
    assert len(told) == len(SCENARIOS)


@pytest.mark.parametrize("symbol", ["ES", "NQ"])
def test_through_halts(symbol: str) -> None:
    """Trading that stands again and again, over ends of minutes too, keeps every invariant."""
    stop = Phase(name="halt", seconds=(5.0, 20.0), lean={"halt": 1.0, "mu": -0.5, "act_mult": 3.0})
    scenario = Scenario(name="own", about="mine", windows=(Window(phases=(stop,), gap_s=(5.0, 30.0)),))
    of = market(symbol, config=MarketConfig(scenario=scenario))
    end_ns = NINE_THIRTY_NS + 3 * MINUTE_NS
    told = run(of, [end_ns], logging_sheets())
    invariants.check_all(told, NINE_THIRTY_NS, end_ns)
    stands = [(ns, why) for ns, why in of.halts if ns < end_ns]
    assert len(stands) > 6
    assert all((one > 0) != (other > 0) for (_, one), (_, other) in pairwise(stands))
    for (since, why), (until, _) in pairwise(stands):
        inside = (told.l1[:, 0] >= since) & (told.l1[:, 0] < until)
        assert inside.any() == (why == 0)
    assert not any((ns - NINE_THIRTY_NS) % SECOND_NS for ns, _ in stands)


def test_the_circuit_breaker_breaks() -> None:
    """Both symbols fall to the limit and stand for a quarter of an hour, in the same second."""
    end_ns = NINE_THIRTY_NS + 90 * MINUTE_NS
    stands = []
    for symbol in ("ES", "NQ"):
        of = market(symbol, config=MarketConfig(scenario="circuit_breaker"))
        told = run(of, range(NINE_THIRTY_NS, end_ns + 1, 5 * MINUTE_NS))
        invariants.check_quotes(told)
        invariants.check_prints(told)
        stands.append([(ns, why) for ns, why in of.halts if why in (0, 1)])
        gaps = np.diff(told.l1[:, 0])
        assert gaps.max() >= 15 * MINUTE_NS
    assert stands[0] == stands[1]
    (since, why), (until, _) = stands[0][:2]
    assert why == 1
    assert (until - since) == 15 * MINUTE_NS
