"""Reference values, and what is said of a value beside them."""

from __future__ import annotations

import json
import math
from itertools import groupby

import pytest

from feedsim.lab.realism.measuring import Facts
from feedsim.lab.realism.result import TOO_LITTLE, blocks_of, judged
from feedsim.lab.realism.targets import NEEDS, Target, curve, targets
from tests.lab.realism.made import session
from tests.support.shared_data import FOLDER

REFERENCE = FOLDER.parent / "realism_targets.json"
ALL = set(NEEDS)


def find(block: str, name: str) -> Target:
    return next(target for target in targets() if (target.block, target.name) == (block, name))


def test_reference_values_are_whole() -> None:
    """Each once, low below high, the measured value near the band, needs that have a text."""
    names = [(target.block, target.name) for target in targets()]
    assert len(set(names)) == len(names)
    assert [block for block, _ in groupby(block for block, _ in names)] == ["ES", "NQ", "PAIR", "VIX"]
    for target in targets():
        assert set(target.needs) <= ALL
        assert target.about
        if target.low is not None:
            assert target.high is not None
            assert target.low < target.high
            assert target.measured is None or target.low <= target.measured <= target.high


def test_every_reference_value_is_measured() -> None:
    """There is a metric of each name; whole days have their own test."""
    there = Facts()
    there.add({"ES": session(1), "NQ": session(1)})
    values = there.values()
    for target in targets():
        if "days" not in target.needs:
            assert target.name in values[target.block], target


@pytest.mark.skipif(not REFERENCE.is_file(), reason=f"no reference values at {REFERENCE}")
def test_reference_values_are_those_of_the_research() -> None:
    """Band and measured value of every name that it has."""
    for block, metrics in json.loads(REFERENCE.read_text()).items():
        if block not in ("ES", "NQ", "PAIR", "VIX"):
            continue
        for name, value in metrics.items():
            if isinstance(value, dict):
                for lag, band in value.items():
                    assert _band(find(block, f"{name}.{lag}")) == band
            elif name.endswith("U_30m"):
                shape = [target.measured for target in targets() if target.block == block and name in target.name]
                assert shape == value
            elif isinstance(value, list) and name != "daily_intraday_corr_q05_q50_q95":
                assert _band(find(block, name)) == value


def _band(target: Target) -> list[float | None]:
    return [target.low, target.high, target.measured]


def test_inside_outside_and_how_far() -> None:
    """z is in quarters of the band; the bounds belong to it."""
    told = {"ES": ALL}
    for value, verdict, z in ((0.08, "inside", -1.073), (0.30, "inside", 2.927), (0.301, "outside", 2.945)):
        row = next(row for row in judged({"ES": {"p_cont_1tick": value}}, told) if row.metric == "p_cont_1tick")
        assert (row.value, row.verdict, row.why) == (value, verdict, "")
        assert row.z == pytest.approx(z, abs=1e-3)


def test_what_is_not_measurable_says_why() -> None:
    """The first thing that is missing, or that there is too little; the value is not told."""
    told = {"ES": ALL - {"sides", "changes"}}
    values = {"ES": {"kappa_buy_I": 4.0, "mo_p1": 0.5, "L2_L1": math.nan}}
    rows = {row.metric: row for row in judged(values, told) if row.block == "ES"}
    assert (rows["kappa_buy_I"].why, rows["kappa_buy_I"].value) == (NEEDS["sides"], None)
    assert rows["corr_bidask_size"].why == NEEDS["changes"]
    assert (rows["L2_L1"].why, rows["L2_L1"].verdict) == (TOO_LITTLE, "not measurable")


def test_sums_of_blocks() -> None:
    """Only rows with a band and a value count; mean |z| of those that have one."""
    values = {"PAIR": {"corr_2m": 0.952, "corr_5m": 0.5, "corr_1s": 0.6, "daily_intraday_corr.q05": 0.9}}
    rows = [row for row in judged(values, {"PAIR": ALL}) if row.block == "PAIR"]
    (block,) = blocks_of(rows)
    assert (block.metrics, block.inside, block.not_measurable) == (3, 2, 7)
    assert block.share == pytest.approx(2 / 3)
    assert block.mean_z == pytest.approx(abs(0.5 - 0.96) / (0.105 / 4) / 2)


def test_curves_of_plots() -> None:
    """Measured values for each symbol, none for others."""
    assert len(curve("ES", "depth")) == 10
    assert curve("MES", "depth") == []
