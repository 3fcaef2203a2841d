"""What holds for every observer: windows do not matter, a saved state goes on alike, nothing is told too early."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import Table
from feedsim.observe import Bars, Footprints, Observer, Phases, Profiles
from tests.observe.cases import ANCHORS, RANGE, SYMBOLS, Deal, close_times, cuts, deals, rows, run, table

END = RANGE[1]
quick = settings(max_examples=30)  # each holds for five observers
MAKERS: dict[str, Callable[[], Observer]] = {
    "bars": lambda: Bars(SYMBOLS, (60, 300, 14_400)),
    "bars without flat ones": lambda: Bars(SYMBOLS, (1, 60), flat=False),
    "footprints": lambda: Footprints(SYMBOLS, (1, 60)),
    "profiles": lambda: Profiles(SYMBOLS),
    "phases": lambda: Phases(SYMBOLS, {"ES": "ESU5"}, start_ns=ANCHORS[0] + 1),
}
every_observer = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


@every_observer
@quick
@given(found=deals(tick=0.1), cut=cuts)
def test_windows_do_not_matter(make: Callable[[], Observer], found: list[Deal], cut: list[int]) -> None:
    """However the session is cut, the rows are the same to the last bit, off-tick prices included."""
    trades = table(found)
    whole = run(make(), trades, [END])
    assert rows(*run(make(), trades, [*cut, END])) == rows(*whole)


@every_observer
@quick
@given(found=deals(close_times, tick=0.1), gap=st.integers(900_000_000, 20_000_000_000))
def test_windows_of_any_width(make: Callable[[], Observer], found: list[Deal], gap: int) -> None:
    """Many equal windows, most of them empty, tell what one does."""
    trades = table(found)
    end = ANCHORS[0] + 100 * 10**9
    edges = range(ANCHORS[0], end, gap)
    assert rows(*run(make(), trades, [*edges, end])) == rows(*run(make(), trades, [end]))


@every_observer
@quick
@given(found=deals(), cut=cuts, at=st.integers(0, 12))
def test_a_restored_state_goes_on(make: Callable[[], Observer], found: list[Deal], cut: list[int], at: int) -> None:
    """A new observer that restores a state tells what the old one would, and the old one can go back to it."""
    trades, edges = table(found), [*cut, END]
    old = make()
    run(old, trades, edges[:at])
    state = old.save()
    done = int(np.searchsorted(trades.avail, max(edges[:at], default=0)))
    rest = trades.take(slice(done, None))
    expected = rows(*run(old, rest, edges[at:]))
    new = make()
    new.restore(state)
    assert rows(*run(new, rest, edges[at:])) == expected
    old.restore(state)
    assert rows(*run(old, rest, edges[at:])) == expected


@every_observer
@quick
@given(found=deals(), at=st.sampled_from(ANCHORS), late=st.integers(-1, 61 * 10**9))
def test_nothing_is_told_too_early(make: Callable[[], Observer], found: list[Deal], at: int, late: int) -> None:
    """Without the trades from t on, all that is told before t stays the same; no row is later than its window."""
    cut = at + late
    before = run(make(), table([deal for deal in found if deal.at < cut]), [cut])
    whole = run(make(), table(found), [END])
    assert rows(*before) == [row for row in rows(*whole) if row["avail"] < cut]


@every_observer
@quick
@given(found=deals(), cut=cuts)
def test_rows_are_sorted(make: Callable[[], Observer], found: list[Deal], cut: list[int]) -> None:
    """Rows come by (available time, symbol, length), and have no order of their own."""
    told = rows(*run(make(), table(found), [*cut, END]))
    keys = [(row["avail"], row["symbol"], row.get("tf_s", 0)) for row in told]
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys))
    assert all(row["own"] == -1 for row in told)


@every_observer
def test_no_trades_no_rows_but_phases(make: Callable[[], Observer]) -> None:
    """Without a trade only the phases have something to tell."""
    observer = make()
    told = observer.observe(Table.empty("trade", SYMBOLS), END)
    assert told.channel == observer.channel
    assert (len(told) > 0) == (observer.channel == "status")
