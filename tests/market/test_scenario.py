"""The words of a scenario."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import ConfigError
from feedsim.market.modulators import LEANABLE, NEUTRAL
from feedsim.market.scenario import SIGNED, Amount, Decay, Iceberg, News, Phase, Scenario, Window, mirrored
from feedsim.market.scenario_bounds import bounds_of
from feedsim.market.scenarios import SCENARIOS

numbers = st.floats(-100, 100)
nan = float("nan")
amounts = st.one_of(
    numbers,
    st.tuples(numbers, numbers),
    st.builds(Decay, peak=numbers, tau_s=st.floats(1, 100), power=st.floats(0.1, 2)),
)
PHASE = Phase(name="a", seconds=(1.0, 2.0))
ICEBERG = Iceberg(side="ask", offset=(0.0, 1.0), reserve=(100.0, 200.0), refresh=(10.0, 20.0))


@given(st.dictionaries(st.sampled_from(LEANABLE), amounts))
def test_a_mirror_of_a_mirror(lean: dict[str, Amount]) -> None:
    """Is what it was; in between, buyers and sellers have changed places and nothing else has."""
    other = mirrored(lean)
    assert mirrored(other) == lean
    assert other.get("depth_ask") == lean.get("depth_bid")
    for name in set(lean) - SIGNED - {"depth_bid", "depth_ask"}:
        assert other[name] == lean[name]
    for name in SIGNED & set(lean):
        value = lean[name]
        if isinstance(value, float):
            assert other[name] == -value


def test_unknown_modulators_are_refused() -> None:
    """Those of an iceberg too, which has words of its own; the line tells all that there are."""
    for name in ("mood", "iceberg", "iceberg_side"):
        for make in (
            lambda name=name: Phase(name="a", seconds=(1.0, 2.0), lean={name: 1.0}),
            lambda name=name: Scenario(name="a", about="b", always={name: 1.0}),
        ):
            with pytest.raises(ConfigError) as error:
                make()
            assert str(error.value) == f"lean: {name!r}: no such modulator; there is {', '.join(LEANABLE)}"


@pytest.mark.parametrize("size", [0.0, 21.0, -20.5, float("nan")])
def test_news_has_a_size(size: float) -> None:
    """Not nothing, and not the end of the world."""
    with pytest.raises(ConfigError, match=r"news.size: .*: expected -20 to 20, not 0"):
        News(at="14:00", size=size)


def test_the_neutral_modulators_do_nothing() -> None:
    """A factor is 1 and an addend 0."""
    assert set(NEUTRAL.values()) == {0.0, 1.0}


@pytest.mark.parametrize("name", SCENARIOS)
def test_json_and_back(name: str) -> None:
    """The table can be written down in the words of the files."""
    scenario = SCENARIOS[name]
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(scenario)), Scenario) == scenario


@pytest.mark.parametrize("name", LEANABLE)
def test_leans_have_bounds(name: str) -> None:
    """A plain amount, both ends of a range and the peak of a decay; neutral is always allowed."""
    low, high = bounds_of(name)
    assert low <= NEUTRAL[name] <= high
    for amount in (low, high, (low, high), Decay(peak=high, tau_s=1.0)):
        Scenario(name="a", about="b", always={name: amount})
    for amount in (low - 1, high * 2 + 1, nan, float("inf"), (low - 1, high), Decay(peak=nan, tau_s=1.0)):
        with pytest.raises(ConfigError, match=rf"^{name}: .*: expected .* to "):
            Scenario(name="a", about="b", always={name: amount})


@pytest.mark.parametrize(
    ("of", "changed", "message"),
    [
        (PHASE, {"seconds": (0.0, 2.0)}, "seconds: 0.0: expected"),
        (PHASE, {"seconds": (-5.0, -1.0)}, "seconds: -5.0: expected"),
        (PHASE, {"seconds": (nan, 1.0)}, "seconds: nan: expected"),
        (PHASE, {"seconds": (20.0, 1.0)}, "seconds: [20.0, 1.0]: expected the lower one first"),
        (PHASE, {"lean": {"mu": (0.2, 0.1)}}, "mu: [0.2, 0.1]: expected the lower one first"),
        (PHASE, {"lean": {"depth_bid": 0.0}}, "depth_bid: 0.0: expected 0.001 to 1000"),
        (PHASE, {"confidence": 1.1}, "confidence: 1.1: expected 0 to 1"),
        (PHASE, {"onset_s": -1.0}, "-1.0: expected 0 to 86400"),
        (PHASE, {"ramp_s": nan}, "nan: expected 0 to 86400"),
        (Window(phases=(PHASE,), gap_s=(1.0, 2.0)), {"phases": ()}, "phases: none: expected one or more"),
        (Window(phases=(PHASE,), gap_s=(1.0, 2.0)), {"gap_s": (-2.0, 1.0)}, "gap_s: -2.0: expected 0 to"),
        (Window(phases=(PHASE,), gap_s=(1.0, 2.0)), {"repeat": (0, 1)}, "repeat: 0: expected 1 to 1000"),
        (Window(phases=(PHASE,), gap_s=(1.0, 2.0)), {"fails": 2.0}, "2.0: expected 0 to 1"),
        (Window(phases=(PHASE,), gap_s=(1.0, 2.0)), {"label": "buy"}, "label: 'buy': expected none, long_bias"),
        (Window(phases=(PHASE,), gap_s=(1.0, 2.0)), {"label": "long_bias"}, "side: 0: expected -1 or 1 with a label"),
        (Window(phases=(PHASE,), gap_s=(1.0, 2.0)), {"side": 1}, "side: 1: expected"),
        (ICEBERG, {"refresh": (0.0, 5.0)}, "iceberg.refresh: 0.0: expected 1 to"),
        (ICEBERG, {"reserve": (-1.0, 5.0)}, "iceberg.reserve: -1.0: expected 1 to"),
        (ICEBERG, {"offset": (-3.0, 5.0)}, "iceberg.offset: -3.0: expected 0 to 10"),
        (Decay(peak=1.0, tau_s=1.0), {"tau_s": 0.0}, "tau_s: 0.0: expected"),
        (Decay(peak=1.0, tau_s=1.0), {"power": -1.0}, "power: -1.0: expected 0 to 10"),
    ],
)
def test_what_cannot_be(of: msgspec.Struct, changed: dict[str, object], message: str) -> None:
    """One line that names the word, the value and what is allowed."""
    with pytest.raises(ConfigError) as error:
        msgspec.structs.replace(of, **changed)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
