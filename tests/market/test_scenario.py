"""The words of a scenario."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import ConfigError
from feedsim.market.modulators import LEANABLE, NEUTRAL
from feedsim.market.scenario import SIGNED, Amount, Decay, News, Phase, Scenario, mirrored
from feedsim.market.scenarios import SCENARIOS

numbers = st.floats(-100, 100)
amounts = st.one_of(
    numbers,
    st.tuples(numbers, numbers),
    st.builds(Decay, peak=numbers, tau_s=st.floats(1, 100), power=st.floats(0.1, 2)),
)


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
