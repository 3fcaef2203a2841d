"""The words of `--option` for the synthetic market."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.errors import ConfigError
from feedsim.market.config import MarketConfig
from feedsim.sources.market_options import market_config

BOTH = ("ES", "NQ")


def test_all_words() -> None:
    """Each is the field of its name."""
    options = {
        "strength": "0.3",
        "lag_ms": "10",
        "vix": "20.5",
        "lot_scale": "2",
        "l2_interval_ms": "50",
        "leadership": "balanced",
        "legacy_halt": "yes",
        "price.ES": "6500",
        "price.NQ": "24000.25",
        "tick.NQ": "0.25",
        "preset.ES": "es_2019",
    }
    assert market_config("chop", BOTH, options) == MarketConfig(
        scenario="chop",
        symbols=BOTH,
        strength=0.3,
        lag_ms=10,
        vix=20.5,
        lot_scale=2,
        l2_interval_ms=50,
        leadership="balanced",
        legacy_halt=True,
        prices={"ES": 6500, "NQ": 24_000.25},
        ticks={"NQ": 0.25},
        presets={"ES": "es_2019"},
    )


def test_no_words() -> None:
    """The usual market."""
    assert market_config("normal", BOTH, {}) == MarketConfig()


def test_a_file_is_a_scenario(tmp_path: Path) -> None:
    """By its ending."""
    path = tmp_path / "mine.toml"
    path.write_text("[always]\nmu = 0.1\n")
    scenario = market_config(str(path), BOTH, {}).find()
    assert (scenario.name, scenario.always) == ("mine", {"mu": 0.1})
    path.write_text("[always]\nmud = 0.1\n")
    with pytest.raises(ConfigError, match="'mud': no such modulator"):
        market_config(str(path), BOTH, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "red"}, "colour: this source has no such option; it has: strength, lag_ms"),
        ({"price": "5000"}, "price: this source has no such option"),
        ({"price.": "5000"}, "price.: this source has no such option"),
        ({"strength": "much"}, "option strength: 'much': expected a number"),
        ({"strength": "0.5"}, "strength: 0.5: expected 0 to 0.4"),
        ({"l2_interval_ms": "0.5"}, "option l2_interval_ms: '0.5': expected a whole number"),
        ({"price.ES": "-5"}, "prices.ES: -5.0: expected"),
        ({"price.ES": "nan"}, "prices.ES: nan: expected"),
        ({"price.YM": "40000"}, "prices.YM: expected only ES, NQ"),
        ({"tick.ES": "0.3"}, "prices.ES: 5000.0: not a multiple of the tick 0.3"),
        ({"legacy_halt": "1"}, "option legacy_halt: '1': expected yes or no"),
        ({"leadership": "me"}, "leadership: 'me': expected NQ_leads, ES_leads, balanced"),
    ],
)
def test_what_they_cannot_be(options: dict[str, str], message: str) -> None:
    """One line that names the option, the value and what is allowed."""
    with pytest.raises(ConfigError) as error:
        market_config("normal", BOTH, options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
