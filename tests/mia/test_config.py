"""A config is checked when it is used: what cannot be is one line that names the field, the value and what can."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from feedsim.errors import ConfigError
from feedsim.mia import GenConfig, MIA_IA_DataGenerator, generate
from feedsim.mia.config import open_market
from tests.mia.conftest import START


def opened(config: Any, **arguments: Any) -> Any:
    wanted = {"seed": 1, "scenario": "normal", "leadership": "NQ_leads", "strength": 0.15, **arguments}
    return open_market(config, **wanted)


def test_defaults_are_those_of_the_seed() -> None:
    """Names, order and values."""
    shown = {field.name: field.default for field in dataclasses.fields(GenConfig)}
    assert shown.pop("start") is dataclasses.MISSING
    assert shown == {
        "minutes": 120,
        "symbol_es": "ES",
        "symbol_nq": "NQ",
        "tick_size": 0.25,
        "es_start_price": 5000.0,
        "nq_start_price": 18000.0,
        "l1_interval_ms": 200,
        "l2_interval_ms": 100,
        "bar_tf_s": 1,
        "book_levels": 10,
        "base_size_mean": 3,
        "base_size_std": 2,
        "vix_start": 15.0,
    }
    assert list(shown)[:2] == ["minutes", "symbol_es"]


REFUSED: list[tuple[str, Any, str]] = [
    ("start", datetime(2025, 8, 21, 13, 30), "start: 2025-08-21T13:30:00: expected a time zone"),  # noqa: DTZ001 (naive)
    ("start", "2025-08-21", "start: '2025-08-21': expected a datetime"),
    ("start", datetime(2025, 8, 23, 13, 30, tzinfo=UTC), "start: 2025-08-23 09:30:00-04:00: Globex is closed"),
    ("minutes", 0, "minutes: 0: expected a number above 0"),
    ("minutes", -5, "minutes: -5: expected a number above 0"),
    ("minutes", float("nan"), "minutes: nan: expected a number above 0"),
    ("minutes", float("inf"), "minutes: inf: expected a number above 0"),
    ("minutes", "120", "minutes: '120': expected a number above 0"),
    ("minutes", None, "minutes: None: expected a number above 0"),
    ("symbol_es", "", "symbol_es: '': expected a name"),
    ("symbol_es", "NQZ5", "symbol_es: 'NQZ5': expected a contract of ES or MES"),
    ("symbol_nq", "MES", "symbol_nq: 'MES': expected a contract of NQ or MNQ"),
    ("symbol_nq", "ES", "symbol_nq: 'ES': expected another name"),
    ("tick_size", 0, "tick_size: 0: expected a number above 0"),
    ("tick_size", -0.25, "tick_size: -0.25: expected a number above 0"),
    ("tick_size", 0.3, "es_start_price: 5000.0: expected a multiple of the tick 0.3"),
    ("es_start_price", -5000.0, "es_start_price: -5000.0: expected a number above 0"),
    ("es_start_price", 5000.1, "es_start_price: 5000.1: expected a multiple of the tick 0.25"),
    ("nq_start_price", 18000.01, "nq_start_price: 18000.01: expected a multiple of the tick 0.25"),
    ("nq_start_price", 10.0, "nq_start_price: 10.0: expected at least a hundred ticks of 0.25"),
    ("l1_interval_ms", 0, "l1_interval_ms: 0: expected a whole number from 1 to 3600000"),
    ("l1_interval_ms", 0.5, "l1_interval_ms: 0.5: expected a whole number"),
    ("l2_interval_ms", -100, "l2_interval_ms: -100: expected a whole number from 1"),
    ("bar_tf_s", 0, "bar_tf_s: 0: expected a whole number from 1"),
    ("bar_tf_s", True, "bar_tf_s: True: expected a whole number from 1"),
    ("bar_tf_s", 121, "bar_tf_s: 121: expected a whole number from 1 to 120"),
    ("book_levels", 0, "book_levels: 0: expected a whole number from 1 to 10"),
    ("book_levels", 11, "book_levels: 11: expected a whole number from 1 to 10"),
    ("base_size_mean", 0, "base_size_mean: 0: expected a number above 0"),
    ("base_size_std", -1, "base_size_std: -1: expected a number from 0"),
    ("vix_start", 5.0, "vix_start: 5.0: expected a number from 10 to 50"),
    ("vix_start", 80.0, "vix_start: 80.0: expected a number from 10 to 50"),
]


@pytest.mark.parametrize(("field", "value", "says"), REFUSED, ids=[f"{field}={value}" for field, value, _ in REFUSED])
def test_what_cannot_be_is_refused(field: str, value: Any, says: str) -> None:
    """Before any work: two minutes of market would not be made in vain."""
    config = GenConfig(start=START, minutes=2)
    setattr(config, field, value)
    with pytest.raises(ConfigError) as told:
        MIA_IA_DataGenerator(seed=1).generate_realistic_session(config)
    assert str(told.value).startswith(says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"scenario": "orderflow_acumulation"}, "did you mean orderflow_accumulation?"),
        ({"scenario": "gamma pin"}, "did you mean gamma_pin?"),
        ({"scenario": "zzz"}, "scenario: 'zzz': no such scenario; there is normal"),
        ({"strength": 0.5}, "strength: 0.5: expected a number from 0 to 0.4"),
        ({"strength": -0.1}, "strength: -0.1: expected a number from 0 to 0.4"),
        ({"leadership": "nq"}, "leadership: 'nq': expected NQ_leads, ES_leads, balanced"),
        ({"scenario": 5}, "scenario: 5: expected a name, a TOML file or a Scenario"),
        ({"scenario": "/no/such.toml"}, "scenario: /no/such.toml: No such file"),
        ({"seed": -1}, "seed: -1: expected a whole number from 0"),
        ({"seed": 1.5}, "seed: 1.5: expected a whole number from 0"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments: dict[str, Any], says: str) -> None:
    """An unknown scenario names the nearest."""
    with pytest.raises(ConfigError) as told:
        opened(GenConfig(start=START, minutes=2), **arguments)
    assert says in str(told.value)


def test_generate_refuses_the_same() -> None:
    """`feedsim.generate` checks its own arguments."""
    for arguments, says in (
        ({"minutes": 0}, "minutes: 0"),
        ({"start": datetime(2025, 8, 21)}, "start: 2025-08-21"),  # noqa: DTZ001 (naive)
        ({"vix": 1.0}, "vix: 1.0"),
        ({"symbols": "ES"}, "symbols: 'ES'"),
        ({"symbols": ["CL"]}, "symbols: 'CL'"),
        ({"prices": {"ES": -1.0}}, "prices.ES: -1.0"),
        ({"prices": {"CL": 80.0}}, "prices: 'CL': expected ES or NQ"),
        ({"prices": {"NQ": "a"}}, "prices.NQ: 'a': expected a number"),
        ({"scenario": "chopp"}, "scenario: 'chopp': no such scenario; did you mean chop?"),
        ({"l1_interval_ms": -1}, "l1_interval_ms: -1"),
    ):
        with pytest.raises(ConfigError) as told:
            generate(**arguments)
        assert str(told.value).startswith(says)


def test_a_config_may_be_changed_between_calls() -> None:
    """It is read at each call."""
    config = GenConfig(start=START, minutes=2)
    first = opened(config).start_ns
    config.start += timedelta(days=1)
    assert opened(config).start_ns - first == 86_400 * 10**9


def test_numbers_of_numpy_are_numbers() -> None:
    """As arrays and data frames have them."""
    numbers: dict[str, Any] = {"minutes": np.int64(2), "bar_tf_s": np.int32(5), "tick_size": np.float64(0.25)}
    config = GenConfig(start=START, **numbers)
    session = opened(config, seed=np.int64(7))
    assert (session.length_ns, session.bar_tf_s, session.seed) == (120 * 10**9, 5, 7)


def test_anything_with_the_fields_is_a_config() -> None:
    """Users have classes of their own with these names."""
    values = dataclasses.asdict(GenConfig(start=START, minutes=3))
    assert opened(SimpleNamespace(**values)) == opened(GenConfig(**values))


def test_times_of_any_zone_and_fraction_are_cut_to_a_millisecond() -> None:
    """Rows tell their times in milliseconds."""
    moment = datetime(2025, 8, 21, 9, 30, 0, 123_987, tzinfo=timezone(timedelta(hours=-4)))
    assert opened(GenConfig(start=moment, minutes=1)).start_ns == 1_755_783_000_123_000_000


def test_ticks_of_tenths_divide_prices_of_tenths() -> None:
    """5000.3 is 50003 ticks of 0.1, although their floats do not divide."""
    config = GenConfig(start=START, minutes=1, tick_size=0.1, es_start_price=5000.3, nq_start_price=18000.7)
    assert opened(config).market.price("ES") == pytest.approx(5000.3)


@pytest.mark.parametrize(
    ("names", "symbols"),
    [
        (("ES", "NQ"), ("ES", "NQ")),
        (("ESU5", "NQU5"), ("ES", "NQ")),
        (("MES", "MNQ"), ("MES", "MNQ")),
        (("SP500", "NASDAQ"), ("ES", "NQ")),
    ],
)
def test_names_choose_the_market(names: tuple[str, str], symbols: tuple[str, ...]) -> None:
    """A contract's name that of its root, any other the big one."""
    config = GenConfig(start=START, minutes=1, symbol_es=names[0], symbol_nq=names[1])
    assert opened(config).market.symbols == symbols
