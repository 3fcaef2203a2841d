"""`MIA_IA_DataGenerator`: the seed API's tables, the same every time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from feedsim.errors import ConfigError
from feedsim.market.scenarios import SCENARIOS
from feedsim.mia import GenConfig, MIA_IA_DataGenerator, generate
from feedsim.mia.frames import NAMES, SEED_COLUMNS, Frames
from tests.mia.conftest import START


def made(
    seed: int = 5, *, minutes: float = 5, scenario: str = "normal", arguments: Any = None, **fields: Any
) -> Frames:
    config = GenConfig(start=START, minutes=minutes, **fields)
    return MIA_IA_DataGenerator(seed=seed).generate_realistic_session(config, scenario=scenario, **(arguments or {}))


def same(one: Frames, other: Frames) -> bool:
    return list(one) == list(other) and all(one[name].equals(other[name]) for name in one)


def test_tables_and_columns_are_those_of_the_seed(data: Frames) -> None:
    """In their order."""
    assert tuple(data) == NAMES
    for name, frame in data.items():
        assert tuple(frame.columns) == SEED_COLUMNS[name]


def test_the_context_and_features_have_what_callers_rely_on(data: Frames) -> None:
    """Beside the documented columns."""
    assert {"gamma_exposure", "dealer_position", "gamma_flip_level", "vol_trigger"} <= set(data["context"].columns)
    assert {"pin_levels", "call_walls", "put_walls"} <= set(data["context"].columns)
    assert "symbol" not in data["context"].columns
    assert {"leadership_mode", "leadership_strength_param"} <= set(data["leadership_features"].columns)


def test_nothing_is_missing(data: Frames) -> None:
    """No table has a NaN or None in it, nor an infinite number."""
    for name, frame in data.items():
        assert not frame.isna().any(axis=None), name
        numbers = frame.select_dtypes("number")
        assert np.isfinite(numbers.to_numpy(float)).all(), name


@pytest.mark.parametrize("minutes", [5, 2.5])
def test_rows_by_the_length_of_the_session(minutes: float) -> None:
    """The numbers of two hours, by proportion."""
    data = made(minutes=minutes)
    of_two_hours = {
        "l1": 72_000,
        "l2": 144_000,
        "bars": 14_400,
        "footprint": 14_400,
        "context": 7_200,
        "leadership_features": 14_400,
        "ground_truth": 14_400,
    }
    assert {name: len(frame) for name, frame in data.items()} == {
        name: rows * minutes / 120 for name, rows in of_two_hours.items()
    }


def test_a_footprint_row_is_its_bar(data: Frames) -> None:
    """One a bar and symbol: the bar's volume and delta, and a price of the bar."""
    bars, footprint = data["bars"], data["footprint"]
    assert (footprint["bar_start_ts"] == bars["ts"]).all()
    assert (footprint["symbol"] == bars["symbol"]).all()
    assert (footprint["bid_volume"] + footprint["ask_volume"] == bars["volume"]).all()
    assert (footprint["delta"] == footprint["ask_volume"] - footprint["bid_volume"]).all()
    assert ((footprint["price_level"] >= bars["low"]) & (footprint["price_level"] <= bars["high"])).all()
    assert (footprint[["bid_volume", "ask_volume"]] >= 0).all(axis=None)


def test_a_footprint_row_tells_the_price_with_the_most_volume(session: Any) -> None:
    """As the levels of the same session have it."""
    from feedsim.mia.frames import seed_frames, session_frames

    pivots, levels = seed_frames(session)["footprint"], session_frames(session)["footprint"]
    levels["volume"] = levels["bid_volume"] + levels["ask_volume"]
    most = levels.groupby(["bar_start_ts", "symbol"])["volume"].transform("max")
    fullest = set(
        map(tuple, levels.loc[levels["volume"] == most, ["bar_start_ts", "symbol", "price_level"]].to_numpy())
    )
    traded = pivots[pivots["bid_volume"] + pivots["ask_volume"] > 0]
    assert set(map(tuple, traded[["bar_start_ts", "symbol", "price_level"]].to_numpy())) <= fullest


def test_values_are_within_what_callers_rely_on(data: Frames) -> None:
    """VIX, ratios, scores and labels."""
    context, features, truth = data["context"], data["leadership_features"], data["ground_truth"]
    assert context["vix"].between(10, 50).all()
    assert context["put_call_ratio"].between(0.7, 1.3).all()
    assert (context["gamma_exposure"] > 0).all()
    assert context["vol_trigger"].between(0, 1).all()
    assert context["pin_strength"].between(0, 1).all()
    assert all(type(row) is list for name in ("pin_levels", "call_walls", "put_walls") for row in context[name])
    scores = (
        "confluence_score",
        "delta_divergence",
        "sierra_pattern_strength",
        "leadership_strength",
        "gamma_proximity",
    )
    for name in scores:
        assert features[name].between(0, 1).all(), name
    for name in ("volume_imbalance", "options_flow_bias"):
        assert features[name].between(-1, 1).all(), name
    assert set(features["volatility_regime"]) <= {"low_vol", "normal_vol", "high_vol"}
    assert set(features["leadership_mode"]) == {"NQ_leads"}
    assert set(truth["label"]) <= {"none", "long_bias", "short_bias", "divergence_warning"}
    none = truth["label"] == "none"
    assert (truth.loc[none, ["confidence", "side"]] == 0).all(axis=None)
    assert truth.loc[~none, "confidence"].between(0, 1, inclusive="right").all()
    assert (truth.loc[truth["label"] == "long_bias", "side"] == 1).all()
    assert (truth.loc[truth["label"] == "short_bias", "side"] == -1).all()
    assert truth.loc[truth["label"] == "divergence_warning", "side"].isin([-1, 1]).all()


@pytest.mark.parametrize(
    ("scenario", "label"),
    [
        ("orderflow_accumulation", "long_bias"),
        ("confluence_breakout", "long_bias"),
        ("orderflow_distribution", "short_bias"),
        ("delta_divergence", "divergence_warning"),
    ],
)
@pytest.mark.parametrize("minutes", [5, 17])
@pytest.mark.parametrize("seed", range(3))
def test_every_session_has_the_label_of_its_scenario(scenario: str, label: str, minutes: float, seed: int) -> None:
    """Whatever its length from five minutes on."""
    data = made(seed, minutes=minutes, scenario=scenario, l2_interval_ms=60_000, l1_interval_ms=60_000)
    assert label in data["ground_truth"]["label"].to_numpy()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_all_scenarios_are_made(scenario: str) -> None:
    """And keep the invariants that users check."""
    data = made(minutes=5, scenario=scenario, l2_interval_ms=1000)
    assert (data["l1"]["ask"] > data["l1"]["bid"]).all()
    assert (data["bars"]["high"] >= data["bars"]["low"]).all()
    assert not any(frame.isna().any(axis=None) for frame in data.values())


def test_the_same_seed_makes_the_same_session() -> None:
    """In one generator or two, whatever was made before; another seed makes another."""
    config = GenConfig(start=START, minutes=2)
    gen = MIA_IA_DataGenerator(seed=3)
    first = gen.generate_realistic_session(config, scenario="chop")
    gen.generate_realistic_session(config, scenario="trend_up")
    assert same(first, gen.generate_realistic_session(config, scenario="chop"))
    assert same(first, MIA_IA_DataGenerator(seed=3).generate_realistic_session(config, scenario="chop"))
    gen.seed = 4
    assert not same(first, gen.generate_realistic_session(config, scenario="chop"))


def test_start_may_be_changed_between_calls() -> None:
    """The next day is a day later in every table."""
    config = GenConfig(start=START, minutes=1)
    gen = MIA_IA_DataGenerator(seed=3)
    before = gen.generate_realistic_session(config)
    config.start += timedelta(days=1)
    after = gen.generate_realistic_session(config)
    for name in ("l1", "l2", "bars"):
        assert (after[name]["ts"].to_numpy() - before[name]["ts"].to_numpy() == 86_400_000).all()


def test_context_and_labels_can_be_left_out() -> None:
    """Their tables are there, with their columns and without rows; the others are as they are with them."""
    full, bare = made(), made(arguments={"options_context": False, "include_labels": False})
    for name in ("context", "ground_truth"):
        assert bare[name].empty
        assert list(bare[name].columns) == list(full[name].columns)
    assert same(*({name: data[name] for name in ("l1", "l2", "bars", "footprint")} for data in (full, bare)))


def test_settings_of_the_config_show_in_the_tables() -> None:
    """Names, prices, ticks, intervals, levels, sizes."""
    data = made(
        minutes=2,
        symbol_es="ESU5",
        symbol_nq="NQU5",
        es_start_price=6000.0,
        nq_start_price=21000.0,
        tick_size=0.5,
        l1_interval_ms=500,
        l2_interval_ms=250,
        bar_tf_s=10,
        book_levels=4,
    )
    assert set(data["l1"]["symbol"]) == {"ESU5", "NQU5"}
    assert [len(data[name]) for name in ("l1", "l2", "bars")] == [480, 960, 24]
    first = data["l1"].groupby("symbol")["bid"].first()
    assert abs(first["ESU5"] - 6000.0) <= 2
    assert abs(first["NQU5"] - 21000.0) <= 20
    assert (data["l1"][["bid", "ask", "last_price"]] * 2 % 1 == 0).all(axis=None)
    assert (data["l2"]["levels"] == 4).all()
    assert all(len(row) == 4 for name in ("bid_px", "bid_sz", "ask_px", "ask_sz") for row in data["l2"][name])


def test_vix_stays_within_its_bounds() -> None:
    """A VIX that falls below 10 in the market is told as 10."""
    wanted = {"minutes": 10.0, "scenario": "trend_up", "l2_interval_ms": 60_000}
    session = generate(seed=0, vix=10.0, **wanted)  # type: ignore[arg-type] # of several types
    assert session.frames()["context"]["vix"].min() < 10
    vix = made(0, vix_start=10.0, **wanted)["context"]["vix"]  # type: ignore[arg-type]
    assert vix.min() == 10
    assert vix.max() > 10


def test_larger_sizes_are_larger() -> None:
    """base_size_mean scales the lots of market orders."""
    small, large = (made(minutes=2, base_size_mean=mean)["bars"].query("symbol == 'ES'") for mean in (3, 12))
    assert large["volume"].sum() > 1.5 * small["volume"].sum()


# ------------------------------------------------------------------------------------------------ scenarios of users


def test_a_subclass_changes_l1_and_bars_in_place() -> None:
    """The hook gets the config, both tables and the scenario's name."""
    seen: list[Any] = []

    class Mine(MIA_IA_DataGenerator):
        def _apply_mia_scenarios(self, cfg: Any, df_l1: pd.DataFrame, df_bars: pd.DataFrame, scenario: str) -> None:
            seen.append((cfg.minutes, scenario))
            df_l1["bid_size"] += 1000
            df_bars["volume"] = 7

    config = GenConfig(start=START, minutes=1)
    data = Mine(seed=1).generate_realistic_session(config, scenario="chop")
    plain = MIA_IA_DataGenerator(seed=1).generate_realistic_session(config, scenario="chop")
    assert seen == [(1, "chop")]
    assert (data["l1"]["bid_size"] == plain["l1"]["bid_size"] + 1000).all()
    assert (data["bars"]["volume"] == 7).all()
    assert data["l2"].equals(plain["l2"])


def test_a_hook_may_return_other_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Assigned to the class, as functions often are; anything but two tables is refused."""

    def halved(self: Any, cfg: Any, df_l1: Any, df_bars: Any, scenario: str) -> Any:
        return df_l1.iloc[::2], df_bars

    config = GenConfig(start=START, minutes=1)
    monkeypatch.setattr(MIA_IA_DataGenerator, "_apply_mia_scenarios", halved)
    assert len(MIA_IA_DataGenerator(seed=1).generate_realistic_session(config)["l1"]) == 300
    monkeypatch.setattr(MIA_IA_DataGenerator, "_apply_mia_scenarios", lambda *_: 5)
    with pytest.raises(ConfigError, match="_apply_mia_scenarios: int: expected None, or the tuple"):
        MIA_IA_DataGenerator(seed=1).generate_realistic_session(config)


def test_the_class_accepts_attributes() -> None:
    """On itself and on what it makes."""
    gen = MIA_IA_DataGenerator(seed=1)
    gen.note = "mine"  # type: ignore[attr-defined]
    MIA_IA_DataGenerator.version = "1.0"  # type: ignore[attr-defined]
    try:
        assert (gen.note, gen.version) == ("mine", "1.0")  # type: ignore[attr-defined]
    finally:
        del MIA_IA_DataGenerator.version  # type: ignore[attr-defined]
