"""Lines of chart files beside those that the live study wrote: equal to the byte where they say the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.bridges.sierra import lines
from feedsim.bridges.sierra.lines import BarNow, Line, Place
from feedsim.sources.sierra.lines import day_count_ns, iso_ns
from tests.support.shared_data import SIERRA, needs_sierra

MICRODAY_NS = 86_400_000


def recorded(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    (path,) = SIERRA.rglob(f"chart_3_{kind}_2*.jsonl")
    for text in path.read_text().splitlines(keepends=True):
        yield text, json.loads(text)


def place_of(line: dict[str, Any], *, superset: bool = False) -> Place:
    microdays = round((line["t"] - 25_569) * 1_000_000)
    ns = microdays * MICRODAY_NS
    return Place(ns, ns, line["chart"], line.get("sym", ""), line.get("i", 0), superset)


def of_volumes(place: Place, line: dict[str, Any]) -> Line:
    other = line["total_volume"] - line["bid_volume"] - line["ask_volume"]
    bar = BarNow(1.0, 1.0, 1.0, 1.0, line["bid_volume"], line["ask_volume"], other, line["trades"])
    return lines.footprints(place, bar, line["cumulative_delta"])[0]


def of_bar(place: Place, line: dict[str, Any]) -> Line:
    other = line["v"] - line["bidvol"] - line["askvol"]
    bar = BarNow(line["o"], line["h"], line["l"], line["c"], line["bidvol"], line["askvol"], other, 1)
    return lines.basedata(place, bar)


def of_vwap(place: Place, line: dict[str, Any]) -> Line:
    up, down = ([line[f"{side}{band}"] for band in (1, 2, 3)] for side in ("up", "dn"))
    return lines.vwap(place, line["v"], up, down)


MAKERS: dict[str, Callable[[Place, dict[str, Any]], Line]] = {
    "trade": lambda at, one: lines.trade(at, 1 if one["side"] == "BUY" else -1, one["px"], one["vol"]),
    "quote": lambda at, one: lines.quote(at, one["bid"], one["ask"], one["bq"], one["aq"]),
    "depth": lambda at, one: lines.depth(at, one["side"], one["lvl"], one["price"], one["size"]),
    "basedata": of_bar,
    "nbcv": of_volumes,
    "vwap": of_vwap,
    "vva": lambda at, one: lines.value_area(
        at, (one["vah"], one["val"], one["vpoc"]), (one["pvah"], one["pval"], one["ppoc"])
    ),
    "cumulative_delta": lambda at, one: lines.cumulative_delta(at, int(one["close"])),
}


@needs_sierra
@pytest.mark.parametrize("kind", MAKERS)
def test_what_the_study_wrote_is_written_again_to_the_byte(kind: str) -> None:
    """Keys, their order and the formats of numbers, and what the study computes from volumes."""
    count = 0
    for text, line in recorded(kind):
        made = MAKERS[kind](place_of(line), line)
        assert made.text(line.get("seq", 0)) == text
        assert made.type == line["type"] == kind
        count += 1
    assert count > 2


@needs_sierra
@pytest.mark.parametrize("kind", MAKERS)
def test_superset_keys_follow_the_studys_own(kind: str) -> None:
    """And give the same values under the names that other readers know."""
    for text, line in recorded(kind):
        made = MAKERS[kind](place_of(line, superset=True), line).text(line.get("seq", 0))
        assert made.startswith(text.rstrip("}\n"))
        more = json.loads(made)
        assert more["graph"] == line["chart"]
        assert abs(iso_ns(more["ts"]) - place_of(line).ns) < 1000
        assert {more[name] for name in ("px", "price") if name in more} == {
            line[name] for name in ("px", "price") if name in line
        }
        sizes = {line[name] for name in ("vol", "size", *(["v"] if kind == "basedata" else [])) if name in line}
        assert {more[name] for name in ("vol", "volume", "qty", "size") if name in more} == sizes
        assert "i" in more


def test_lines_of_context_have_the_formats_of_the_provider() -> None:
    """Six decimals of the VIX, two of a level; a line without a symbol has no key for it."""
    place = Place(1_758_014_400_000_000_000, 1_758_014_400_000_000_000, 8, "", 7, False)
    assert lines.vix(place, 14.66).text(0) == '{"t":45916.388889,"type":"vix","i":7,"last":14.660000,"chart":8}\n'
    level = lines.option_level(place._replace(chart=10, sym="ESZ25_FUT_CME"), "call_resistance", 6600.0, 0, 1)
    assert level.text(0) == (
        '{"t":45916.388889,"sym":"ESZ25_FUT_CME","type":"menthorq_level","level_type":"call_resistance",'
        '"price":6600.00,"subgraph":0,"study_id":1,"i":7,"chart":10}\n'
    )


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_stamps_are_read_back_to_half_a_microday(ns: int) -> None:
    """By the reader of such files; the ISO text to a microsecond."""
    (read,) = day_count_ns(np.array([float(lines.day_count(ns))])).tolist()
    assert abs(read - ns) <= MICRODAY_NS // 2
    assert ns - iso_ns(lines.iso(ns)) in range(1000)
