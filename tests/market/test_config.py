"""What a market may be made of, and the one line that says what it may not."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import ConfigError
from feedsim.market.config import DEFAULT_PRESETS, FOLLOWS, LEADERSHIPS, STRONGEST, MarketConfig, find_scenario
from feedsim.market.presets import PRESETS
from feedsim.market.scenario import News, Phase, Scenario, Window
from feedsim.market.scenarios import SCENARIOS

OWN = Scenario(
    name="own",
    about="a user's",
    always={"mu": 0.01, "depth_bid": (0.5, 0.8)},
    windows=(Window(phases=(Phase(name="up", seconds=(10.0, 20.0), lean={"mu": 0.2}),), gap_s=(60.0, 90.0)),),
    news=(News(at="14:00", size=-2.0),),
)


def test_symbols_are_in_order() -> None:
    """However they were given."""
    assert MarketConfig(symbols=("NQ", "MES", "ES")).symbols == ("ES", "MES", "NQ")
    assert set(FOLLOWS) == set(DEFAULT_PRESETS)


@given(
    st.sampled_from([*SCENARIOS, OWN]),
    st.sampled_from(LEADERSHIPS),
    st.floats(0, STRONGEST),
    st.sets(st.sampled_from(sorted(FOLLOWS)), min_size=1),
    st.integers(1, 1000),
)
def test_json_and_back(
    scenario: str | Scenario, leadership: str, strength: float, symbols: set[str], interval: int
) -> None:
    """What a recording keeps of a market makes an equal one, with the user's own scenario too."""
    config = MarketConfig(
        symbols=tuple(symbols),
        scenario=scenario,
        leadership=leadership,
        strength=strength,
        prices={"ES": 6500.25},
        presets={"ES": "es_2019"},
        l2_interval_ms=interval,
    )
    again = MarketConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert again == config
    assert again.find() == config.find()


@pytest.mark.parametrize(
    ("leadership", "late"), [("NQ_leads", (0.3, 0.0)), ("ES_leads", (0.0, 0.3)), ("balanced", (0.0, 0.0))]
)
def test_the_follower_hears_late(leadership: str, late: tuple[float, float]) -> None:
    """The share of ES and of NQ."""
    assert MarketConfig(leadership=leadership, strength=0.3).strengths() == late


def test_what_is_not_given_is_the_usual() -> None:
    """Prices, ticks and parameter sets, symbol by symbol."""
    config = MarketConfig(prices={"NQ": 20_000.0}, ticks={"ES": 0.5}, presets={"ES": "es_2019"})
    assert (config.price("ES"), config.price("NQ")) == (5000.0, 20_000.0)
    assert (config.tick("ES"), config.tick("NQ")) == (0.5, 0.25)
    assert (config.preset("ES"), config.preset("NQ")) == (PRESETS["es_2019"], PRESETS["nq_2025"])
    assert (config.preset_name("ES"), config.preset_name("NQ")) == ("es_2019", "nq_2025")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scenario": "normall"}, "scenario: 'normall': no such scenario; did you mean normal? there is normal"),
        ({"scenario": "delta_divergance"}, "did you mean delta_divergence?"),
        ({"scenario": "???"}, "scenario: '???': no such scenario; there is"),
        ({"leadership": "YM_leads"}, "leadership: 'YM_leads': expected NQ_leads, ES_leads, balanced"),
        ({"strength": 0.41}, "strength: 0.41: expected 0 to 0.4"),
        ({"strength": -0.01}, "strength: -0.01: expected 0 to 0.4"),
        ({"strength": math.nan}, "strength: nan: expected 0 to 0.4"),
        ({"lag_ms": 0}, "lag_ms: 0: expected"),
        ({"vix": 5}, "vix: 5: expected 9 to 90"),
        ({"vix": math.nan}, "vix: nan: expected"),
        ({"lot_scale": 0}, "lot_scale: 0: expected"),
        ({"l2_interval_ms": 0}, "l2_interval_ms: 0: expected 1 to 3600000 ms"),
        ({"prices": {"ES": -5000.0}}, "prices.ES: -5000.0: expected"),
        ({"prices": {"NQ": 0.0}}, "prices.NQ: 0.0: expected"),
        ({"prices": {"NQ": math.inf}}, "prices.NQ: inf: expected"),
        ({"prices": {"ES": 5000.1}}, "prices.ES: 5000.1: not a multiple of the tick 0.25"),
        ({"ticks": {"ES": 0.3}}, "prices.ES: 5000.0: not a multiple of the tick 0.3"),
        ({"ticks": {"ES": 0.0}}, "ticks.ES: 0.0: expected a number above 0"),
        ({"ticks": {"NQ": -0.25}}, "ticks.NQ: -0.25: expected a number above 0"),
        ({"ticks": {"MES": 0.0}}, "ticks.MES: 0.0: expected a number above 0"),
        ({"ticks": {"MNQ": 0.7}}, "prices.NQ: 18000.0: not a multiple of the tick 0.7"),
        ({"prices": {"YM": 40_000.0}}, "prices.YM: expected only ES, NQ"),
        ({"prices": {"MES": 5000.0}}, "prices.MES: expected only ES, NQ"),
        ({"ticks": {"YM": 1.0}}, "ticks.YM: expected only ES, NQ, MES, MNQ"),
        ({"presets": {"YM": "es_2025"}}, "presets.YM: expected only ES, NQ, MES, MNQ"),
        ({"presets": {"ES": "es_1999"}}, f"presets.ES: 'es_1999': expected {', '.join(PRESETS)}"),
        ({"symbols": ("ES", "YM")}, "symbols: 'YM': the synthetic market has ES, NQ, MES, MNQ"),
        ({"symbols": ()}, "symbols: []: expected one or more of ES, NQ, MES, MNQ, each once"),
        ({"symbols": ("ES", "ES")}, "symbols: ['ES', 'ES']: expected one or more"),
    ],
)
def test_what_cannot_be(given: dict[str, Any], message: str) -> None:
    """One line that names the field, the value and what is allowed."""
    with pytest.raises(ConfigError) as error:
        MarketConfig(**given)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_json_that_is_no_market() -> None:
    """A value of another type, and a scenario that nobody has."""
    values = MarketConfig().to_json()
    with pytest.raises(ConfigError, match="market"):
        MarketConfig.from_json({**values, "strength": "much"})
    with pytest.raises(ConfigError, match="no such scenario"):
        MarketConfig.from_json({**values, "scenario": "gone"})


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_are_found_by_name(name: str) -> None:
    """And the name with a letter too few finds the nearest."""
    assert find_scenario(name) is SCENARIOS[name]
    with pytest.raises(ConfigError, match=f"did you mean {name}"):
        find_scenario(name[:-1])
