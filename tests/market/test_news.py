"""News at times that the user sets."""

from __future__ import annotations

import pytest

from feedsim.errors import ConfigError
from feedsim.market.news import placed_news
from feedsim.market.scenario import News
from feedsim.market.scenarios import NEWS_WINDOW
from tests.market.runs import HOUR_NS, NINE_THIRTY_NS

SHOCK = next(at for at, phase in enumerate(NEWS_WINDOW.phases) if phase.name == "shock")


def _shock(news: News, start_ns: int = NINE_THIRTY_NS) -> int:
    (placed,) = placed_news((news,), start_ns, seed=1)
    return placed.phases[SHOCK].start


def test_a_time_of_day_is_new_york_s() -> None:
    """On the session's day, or on the next one where it is over when the session starts."""
    assert _shock(News(at="14:00")) == 4 * 3600 + 1800
    assert _shock(News(at="09:30:05")) == 5
    assert _shock(News(at="09:00")) == 23 * 3600 + 1800
    over_the_clock_change = NINE_THIRTY_NS + 72 * 24 * HOUR_NS  # 2025-11-01, a Saturday; clocks go back at night
    assert _shock(News(at="09:00"), over_the_clock_change) == 24 * 3600 + 1800


def test_a_number_is_minutes_since_the_start() -> None:
    """In fractions too."""
    assert _shock(News(at=12.5)) == 750
    assert _shock(News(at=0)) == 0


def test_phases_follow_each_other() -> None:
    """Without a gap, each as long as the scenario news_spike has it, and the jump is as large as said."""
    (small,) = placed_news((News(at=30.0),), NINE_THIRTY_NS, seed=1)
    (large,) = placed_news((News(at=30.0, size=2.5),), NINE_THIRTY_NS, seed=1)
    for before, after in zip(small.phases, small.phases[1:], strict=False):
        assert before.end == after.start
    for drawn, phase in zip(small.phases, NEWS_WINDOW.phases, strict=True):
        assert phase.seconds[0] <= drawn.end - drawn.start <= phase.seconds[1]
    one, other = (placed.phases[SHOCK].phase.lean["jump"] for placed in (small, large))
    assert isinstance(one, tuple)
    assert other == (one[0] * 2.5, one[1] * 2.5)
    assert not small.mirror
    assert placed_news((News(at=30.0, size=-1.0),), NINE_THIRTY_NS, seed=1)[0].mirror


@pytest.mark.parametrize(
    ("news", "message"),
    [
        ((News(at="25:00"),), "news.at: '25:00': write it as 14:00, New York time"),
        ((News(at="soon"),), "news.at: 'soon': write it as 14:00"),
        ((News(at=-1.0),), "news.at: -1.0: expected minutes since the session's start"),
        ((News(at=float("nan")),), "news.at: nan: expected minutes"),
        ((News(at="14:00"), News(at="10:00"), News(at="14:05")), "news: two overlap: what begins"),
        ((News(at=30.0), News(at=30.0)), "news: two overlap"),
    ],
)
def test_what_cannot_be_placed(news: tuple[News, ...], message: str) -> None:
    """One line that says why."""
    with pytest.raises(ConfigError) as error:
        placed_news(news, NINE_THIRTY_NS, seed=1)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
