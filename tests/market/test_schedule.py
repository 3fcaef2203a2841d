"""A scenario drawn in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.market.modulators import HALT, JUMP, MU, NEUTRAL, SIGMA
from feedsim.market.scenario import Decay, Iceberg, News, Phase, Scenario, Window
from feedsim.market.scenarios import SCENARIOS
from feedsim.market.schedule import BLOCK_S, NOTHING, RAMP_S, Schedule, Truth
from tests.market.runs import NINE_THIRTY_NS

NAMES = list(NEUTRAL)
NEUTRAL_ROW = np.array(list(NEUTRAL.values()))
seeds = st.integers(0, 2**63 - 1)
some = settings(max_examples=25)
every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def _schedule(scenario: Scenario | str, seed: int = 0, minutes: float | None = None) -> Schedule:
    found = SCENARIOS[scenario] if isinstance(scenario, str) else scenario
    return Schedule(found, seed=seed, minutes=minutes, start_ns=NINE_THIRTY_NS)


def _truths(schedule: Schedule, seconds: int) -> list[Truth]:
    return [schedule.truth(second) for second in range(seconds)]


def _own(*phases: Phase, gap_s: tuple[float, float] = (100.0, 200.0), **words: object) -> Scenario:
    return Scenario(name="own", about="mine", windows=(Window(phases=phases, gap_s=gap_s, **words),))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- one, however asked


@some
@given(st.sampled_from(sorted(SCENARIOS)), seeds, st.lists(st.integers(1, 400), max_size=6))
def test_rows_do_not_depend_on_how_they_are_asked_for(name: str, seed: int, counts: list[int]) -> None:
    """Part by part or at once, also across the end of a block, forwards or backwards."""
    since = BLOCK_S - 300
    whole = _schedule(name, seed).rows(since, sum(counts) + 1)
    other, at = _schedule(name, seed), since
    other.rows(5 * BLOCK_S, 1)
    for count in counts:
        assert np.array_equal(other.rows(at, count), whole[at - since : at - since + count])
        at += count
    assert whole.shape == (sum(counts) + 1, len(NEUTRAL))


@some
@given(st.sampled_from(sorted(SCENARIOS)), seeds, st.floats(60, 600))
def test_an_hour_or_more_begins_like_any_longer_one(name: str, seed: int, minutes: float) -> None:
    """Its length does not matter then."""
    mine, endless = _schedule(name, seed, minutes), _schedule(name, seed)
    assert np.array_equal(mine.rows(0, 3600), endless.rows(0, 3600))
    assert _truths(mine, 3600) == _truths(endless, 3600)


def test_seeds_and_blocks_differ() -> None:
    """What comes is not told by the clock."""
    rows = [_schedule("orderflow_accumulation", seed).rows(0, BLOCK_S).tobytes() for seed in range(5)]
    rows.append(_schedule("orderflow_accumulation").rows(BLOCK_S, BLOCK_S).tobytes())
    assert len(set(rows)) == len(rows)


# -------------------------------------------------------------------------------------------------------- what is true


@every_scenario
@pytest.mark.parametrize("minutes", [5, 30, None])
def test_truth_is_well_formed(name: str, minutes: float | None) -> None:
    """A label has a side and a confidence, none has neither; within a window there is a phase and an id."""
    for seed in range(5):
        schedule = _schedule(name, seed, minutes)
        for truth in _truths(schedule, round(60 * (minutes or 150))):
            if truth.label == "none":
                assert (truth.confidence, truth.side) == (0.0, 0)
            else:
                assert truth.label in ("long_bias", "short_bias", "divergence_warning")
                assert 0 < truth.confidence <= 1
                expected = {"long_bias": (1,), "short_bias": (-1,)}.get(truth.label, (-1, 1))
                assert truth.side in expected
            assert (truth.phase is None) == (truth.window_id is None)
            assert truth.phase is not None or truth == NOTHING
            assert truth.outcome in (None, "held", "failed")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("orderflow_accumulation", "long_bias"),
        ("confluence_breakout", "long_bias"),
        ("orderflow_distribution", "short_bias"),
        ("delta_divergence", "divergence_warning"),
    ],
)
@given(seed=seeds, minutes=st.floats(5, 180))
@some
def test_every_session_of_five_minutes_has_its_label(name: str, label: str, seed: int, minutes: float) -> None:
    """Whatever its length and seed, and no label of another kind."""
    truths = _truths(_schedule(name, seed, minutes), round(60 * minutes))
    assert {truth.label for truth in truths} == {"none", label}
    assert any(truth.outcome == "held" for truth in truths), "one of them is true"


@pytest.mark.parametrize("name", [name for name, it in SCENARIOS.items() if any(window.fails for window in it.windows)])
def test_some_windows_fail(name: str) -> None:
    """There are hard negatives, and they are not the rule."""
    outcomes = [
        drawn.outcome for seed in range(40) for drawn in _schedule(name, seed).block(0).windows if drawn.end < BLOCK_S
    ]
    assert 0.05 < outcomes.count("failed") / len(outcomes) < 0.5


@every_scenario
def test_an_outcome_is_told_when_it_is_known(name: str) -> None:
    """At the last second of a window, and not before."""
    schedule = _schedule(name, 3)
    ends = {drawn.end - 1: drawn.outcome for drawn in schedule.block(0).windows if 0 < drawn.end <= BLOCK_S}
    told = {second: truth.outcome for second, truth in enumerate(_truths(schedule, BLOCK_S)) if truth.outcome}
    assert told == ends


def test_a_label_waits_for_its_onset_and_ends() -> None:
    """It is told from the phase's start and `onset_s` on, for `label_s`."""
    phase = Phase(name="breakout", seconds=(100.0, 100.0), confidence=0.7, onset_s=20.0, label_s=30.0)
    schedule = _schedule(_own(phase, label="long_bias", side=1))
    (first, *_) = [drawn for drawn in schedule.block(0).windows if drawn.start >= 0]
    labels = [schedule.truth(second).label for second in range(first.start, first.end)]
    assert labels == ["none"] * 20 + ["long_bias"] * 30 + ["none"] * 50


def test_mirrored_windows_swap_the_sides() -> None:
    """Label, side and leans."""
    phase = Phase(name="breakout", seconds=(50.0, 50.0), lean={"mu": 0.5}, confidence=0.7)
    for mirror, label, side in ((0.0, "long_bias", 1), (1.0, "short_bias", -1)):
        schedule = _schedule(_own(phase, label="long_bias", side=1, mirror=mirror))
        (first, *_) = [drawn for drawn in schedule.block(0).windows if drawn.start >= 0]
        middle = first.start + 25
        assert (schedule.truth(middle).label, schedule.truth(middle).side) == (label, side)
        assert schedule.rows(middle, 1)[0, MU] == 0.5 * side


# -------------------------------------------------------------------------------------------------------- what it leans


@every_scenario
def test_outside_windows_nothing_leans(name: str) -> None:
    """But what leans always; a window fades out within seconds."""
    scenario = SCENARIOS[name]
    always = NEUTRAL_ROW.copy()
    for word, amount in scenario.always.items():
        assert isinstance(amount, float), "a plain number, or this test must learn more"
        always[NAMES.index(word)] = amount
    schedule = _schedule(name, 1)
    rows = schedule.rows(0, BLOCK_S)
    leant = np.zeros(BLOCK_S + int(RAMP_S) + 1, np.bool_)
    for drawn in schedule.block(0).windows:
        leant[max(drawn.start, 0) : max(drawn.end + int(RAMP_S), 0)] = True
    free = ~leant[:BLOCK_S]
    if any(window.fill for window in scenario.windows):
        assert not free.any()
    else:
        assert free.mean() > 0.2
        assert (rows[free] == always).all()


@every_scenario
def test_factors_stay_above_zero(name: str) -> None:
    """No depth, activity or volatility of nothing or less, which has no meaning."""
    for seed in range(5):
        rows = _schedule(name, seed).rows(0, BLOCK_S)
        assert np.isfinite(rows).all()
        factors = NEUTRAL_ROW == 1.0
        assert (rows[:, factors] > 0).all()


def test_leans_come_with_a_ramp_and_a_jump_at_once() -> None:
    """A jump is in one second alone; others rise through their ramp and fall after the end."""
    phase = Phase(name="news", seconds=(60.0, 60.0), ramp_s=10.0, lean={"sigma_mult": 3.0, "jump": 20.0, "halt": 1.0})
    schedule = _schedule(_own(phase))
    (first, *_) = [drawn for drawn in schedule.block(0).windows if drawn.start >= 0]
    rows = schedule.rows(first.start - 1, 80)
    sigma = rows[:, SIGMA]
    assert sigma[0] == 1.0
    assert (np.diff(sigma[:11]) > 0).all()
    assert (sigma[11:61] == 3.0).all()
    assert (np.diff(sigma[60:67]) < 0).all()
    assert (sigma[67:] == 1.0).all()
    assert rows[:, JUMP].tolist() == [0.0, 20.0, *[0.0] * 78]
    assert rows[:, HALT].tolist() == [0.0, *[1.0] * 60, *[0.0] * 19]


def test_a_decay_goes_back() -> None:
    """From its peak, (1 + t / tau) ** -power of the way."""
    phase = Phase(name="news", seconds=(90.0, 90.0), ramp_s=1.0, lean={"act_mult": Decay(peak=9.0, tau_s=30.0)})
    schedule = _schedule(_own(phase))
    (first, *_) = [drawn for drawn in schedule.block(0).windows if drawn.start >= 0]
    course = schedule.rows(first.start, 90)[:, NAMES.index("act_mult")]
    expected = 1 + 8 / (1 + np.arange(90) / 30)
    assert course[1:] == pytest.approx(expected[1:])


def test_icebergs_have_numbers_of_their_own() -> None:
    """Each round's is another one, on the side that is said, and only while its phase lasts."""
    iceberg = Iceberg(side="bid", offset=(1.0, 3.0), reserve=(100.0, 200.0), refresh=(10.0, 20.0))
    phases = (Phase(name="absorption", seconds=(20.0, 20.0), iceberg=iceberg), Phase(name="lull", seconds=(20.0, 20.0)))
    schedule = _schedule(_own(*phases, repeat=(3, 3)))
    (first, *_) = [drawn for drawn in schedule.block(0).windows if drawn.start >= 0]
    rows = schedule.rows(first.start, first.end - first.start)
    numbers = rows[:, NAMES.index("iceberg")]
    assert [numbers[at] > 0 for at in range(0, 120, 20)] == [True, False] * 3
    assert len(set(numbers.tolist())) == 4
    assert (rows[numbers > 0, NAMES.index("iceberg_side")] == 0).all()
    offsets = rows[numbers > 0, NAMES.index("iceberg_offset")]
    assert set(offsets.tolist()) <= {1.0, 2.0, 3.0}


@pytest.mark.parametrize("minutes", [1, 6, 15])
def test_a_short_session_has_short_windows(minutes: float) -> None:
    """By its share of an hour."""
    drawn = _schedule("orderflow_accumulation", 4, minutes).block(0).windows
    longest = max(window.end - window.start for window in drawn)
    usual = _schedule("orderflow_accumulation", 4).block(0).windows
    assert longest <= max(window.end - window.start for window in usual) * minutes / 60 * 2.5


# ---------------------------------------------------------------------------------------------------------------- news


def test_news_comes_when_it_was_set() -> None:
    """The jump is in that very second, in blocks far on too, with its sign and its window in the truth."""
    scenario = Scenario(name="own", about="mine", news=(News(at="10:00"), News(at=400.0, size=-3.0)))
    schedule = _schedule(scenario)
    at, later = 1800, 400 * 60
    jumps = schedule.rows(0, later + 60)[:, JUMP]
    assert np.flatnonzero(jumps).tolist() == [at, later]
    assert jumps[at] > 0 > jumps[later]
    assert schedule.truth(at).phase == "shock"
    assert schedule.truth(at - 60).phase == "lull"
    assert schedule.truth(at).window_id != schedule.truth(later).window_id
