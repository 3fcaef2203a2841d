"""A calibration moves the default parameter set towards a recording, and its file is read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from feedsim.errors import ConfigError
from feedsim.lab.calibration import Search, counted, metrics_of, wanted
from feedsim.lab.realism.arrays import Session, aggressors
from feedsim.lab.realism.generated import generated, sheets_with_log
from feedsim.market.config import MarketConfig
from feedsim.market.preset_file import Calibration, read_preset
from feedsim.market.presets import PRESETS, Preset

START_NS = 1_755_788_400_000_000_000  # 2025-08-21 11:00 in New York
DEFAULT = PRESETS["es_2025"]
QUIET = replace(DEFAULT, hum=DEFAULT.hum / 3, depth=tuple(level / 2 for level in DEFAULT.depth))


def _recorded(preset: Preset) -> list[Session]:
    config = MarketConfig(symbols=("ES",), presets={"ES": preset})
    return [generated(config, seed=5, start_ns=START_NS, minutes=10, sheets=sheets_with_log())["ES"]]


def _search(sessions: list[Session]) -> Search:
    measured = metrics_of("ES", sessions)
    return Search("ES", MarketConfig(symbols=("ES",)), measured, start_ns=START_NS, seed=1)


def test_counting_comes_nearer() -> None:
    """A recording with a third of the orders and half the depth: what is counted has fewer and less too."""
    sessions = _recorded(QUIET)
    search = _search(sessions)
    before = search.metrics(DEFAULT)
    found = counted(DEFAULT, "ES", sessions, before, metrics_of("ES", sessions))
    assert found.hum < 0.7 * DEFAULT.hum
    assert found.depth[0] < 0.75 * DEFAULT.depth[0]
    measured, after = metrics_of("ES", sessions), search.metrics(found)
    for name in ("depth", "orders_s"):
        assert abs(after[name] - measured[name]) < abs(before[name] - measured[name])


def test_sizes_are_those_of_the_recording() -> None:
    """The share of market orders of one lot is the recorded one."""
    sessions = _recorded(DEFAULT)
    assert sessions[0].trades is not None
    found = counted(DEFAULT, "ES", sessions, {}, {})
    recorded = aggressors(sessions[0].trades).size
    assert found.trade_size[1] == pytest.approx(1000 * np.mean(recorded == 1), abs=1)
    assert found.trade_cap == recorded.max()


def test_a_search_never_goes_away() -> None:
    """Whatever it tries, what it keeps is no farther than what it began with."""
    search = _search(_recorded(QUIET))
    found = search.run(DEFAULT, 3.0, lambda *_: None)
    assert search.tried > 0
    assert search.distance(search.metrics(found)) <= search.distance(search.metrics(DEFAULT))


def test_nothing_is_wanted_that_was_not_measured() -> None:
    """Metrics that are not a number are not looked for."""
    assert dict(wanted("ES", {"mo_p1": 0.5, "mo_q99": float("nan")})).keys() == {"mo_p1"}


def test_a_file_is_read_back(tmp_path: Path) -> None:
    """The parameter set of a file is the one that was written, and makes the same market."""
    path = tmp_path / "mine.json"
    made = Calibration(symbol="ES", source="x", sessions="1", orders=1, quotes=1, preset=QUIET, table=[])
    path.write_bytes(made.to_json())
    assert read_preset(path) == QUIET
    config = MarketConfig(presets={"ES": read_preset(path)})
    assert MarketConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("text", ["", "{}", '{"preset": 1}'])
def test_a_wrong_file_is_told(tmp_path: Path, text: str) -> None:
    """With its path and what is wrong."""
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.json"):
        read_preset(path)
