"""What a picture gathers, against the rows that it was given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import INT_NULL
from feedsim.instruments import NS_PER_S
from feedsim.lab.inspection import inspect_tape
from feedsim.lab.picture import MAX_COLUMNS, MAX_VOLUME_BARS, Panel, Picture, fitting_length, held
from feedsim.sources.base import Tables
from tests.lab.made import bars, books, market, quotes, tape_of, trades
from tests.support.chunks import START_NS

SECONDS = 30


def _picture(tables: Tables, *, seconds: int = SECONDS) -> Picture:
    tape = tape_of(tables, seconds=seconds, symbols=next(iter(tables.values())).symbols)
    picture = Picture.of(tape)
    inspect_tape(tape, on_chunk=picture.add)
    return picture


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_volume_and_delta_are_those_of_the_trades(seed: int) -> None:
    """Nothing traded is lost in the columns, nor in the wider bars of volume."""
    tables = market(seed, seconds=SECONDS)
    picture = _picture(tables)
    trade = tables["trade"]
    for code, panel in enumerate(picture.panels):
        mine = trade.array("symbol") == code
        size, side = trade.array("size")[mine], trade.array("side")[mine]
        bars = panel.volume_bars(picture.bar_columns)
        assert bars.volume.sum() == panel.bought.sum() + panel.sold.sum() + panel.other.sum() == size.sum()
        assert panel.cumulative_delta()[-1] == bars.delta.sum() == (size * side).sum()
        assert panel.big_size.max() == size.max()
        assert np.nanmax(panel.high) == trade.array("price")[mine].max()
        assert np.nanmin(panel.low) == trade.array("price")[mine].min()
        assert len(bars.start) <= MAX_VOLUME_BARS + 1


def test_a_column_has_its_last_quote_and_its_largest_trade() -> None:
    """Of what happens within a column the end is shown; of its trades the largest, wherever it stood."""
    picture = _picture(
        {
            "l1": quotes([(0, 10.0, 10.25, 1, 1), (50, 10.25, 10.75, 1, 1), (250, 11.0, 11.25, 1, 1)]),
            "trade": trades([(10, 10.25, 7, 1), (20, 10.0, 2, -1), (150, 10.25, 1, -1)]),
        },
        seconds=10,
    )
    (panel,) = picture.panels
    assert picture.length_ns == NS_PER_S // 10
    assert panel.price()[:4].tolist() == [10.5, 10.5, 11.125, 11.125]
    assert (panel.big_size[0], panel.big_price[0], panel.big_side[0]) == (7, 10.25, 1)
    assert panel.biggest(5).tolist() == [0]


def test_the_largest_trade_stays_the_largest() -> None:
    """A column may be told in several parts."""
    panel = Panel("ES", 0.25, 3)
    for size in (3, 9, 4):
        panel.add_trades(np.array([1]), trades([(0, 10.0 + size, size, 1)]))
    assert (panel.big_size[1], panel.big_price[1]) == (9, 19.0)


@given(sizes=st.lists(st.integers(0, 6), min_size=1, max_size=40), count=st.integers(1, 10))
def test_the_biggest_trades_are_chosen(sizes: list[int], count: int) -> None:
    """As many as there are, none of them smaller than one that was left out, each once and in order."""
    panel = Panel("ES", 0.25, len(sizes))
    panel.big_size[:] = sizes
    chosen = panel.biggest(count).tolist()
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, sum(size > 1 for size in sizes))
    left = [size for column, size in enumerate(sizes) if column not in chosen and size > 1]
    assert not left or min(sizes[column] for column in chosen) >= max(left)


def test_each_book_is_in_its_own_column() -> None:
    """Bids and asks of several books that come together."""
    rows = [(0, [10.0, 9.75], [5, 6], [10.25], [7]), (100, [10.0], [1], [10.5, 10.75], [2, 3])]
    (panel,) = _picture({"l2": books(rows), "l1": quotes([(0, 10.0, 10.25, 1, 1)])}, seconds=10).panels
    image = panel.heat.image(carry=0)
    assert panel.heat.first_bin == 39
    assert image[0].tolist() == [6, 5, 7, 0, 0]
    assert image[1].tolist() == [0, 1, 0, 2, 3]


def test_books_stand_until_the_next() -> None:
    """Depth is drawn from l2; where there are only coarse books, l1 is drawn over them."""
    rows = [(0, [10.0], [5], [10.25], [6])]
    quote = quotes([(0, 10.0, 10.25, 7, 8)])
    (fine,) = _picture({"l2": books(rows), "l1": quote}).panels
    (coarse,) = _picture({"l2": books(rows, coarse=True), "l1": quote}).panels
    assert [heat.image(carry=10)[3].tolist() for heat in fine.depths()] == [[5, 6]]
    assert [heat.image(carry=10)[3].tolist() for heat in coarse.depths()] == [[5, 6], [7, 8]]


def test_without_trades_the_volume_is_that_of_the_bars() -> None:
    """Of one length, where the bar was; bought and sold where the bar has a delta."""
    rows = [(0, 1.0, 1.0, 1.0, 1.0, 5, INT_NULL), (1000, 1.0, 1.0, 1.0, 1.0, 7, -3)]
    picture = _picture({"bar": bars(rows), "l1": quotes([(0, 10.0, 10.25, 1, 1)])}, seconds=10)
    (panel,) = picture.panels
    assert (panel.other[9], panel.bought[19], panel.sold[19]) == (5, 2, 5)
    assert panel.volume_bars(10).volume[:2].tolist() == [5, 7]


def test_vwap_is_that_of_the_bars() -> None:
    """The line of the session's VWAP goes through what the bars told."""
    picture = _picture({"trade": trades([(0, 10.0, 1, 1), (1500, 12.0, 3, 1)])}, seconds=5)
    vwap = held(picture.panels[0].vwap)
    assert vwap[10] == 10.0
    assert vwap[20] == pytest.approx(11.5)
    assert picture.panels[0].price_label == "last trade"


@given(span_s=st.floats(0.5, 400 * 86_400), most=st.integers(10, 1000))
def test_a_length_fits(span_s: float, most: int) -> None:
    """At most so many columns cover a session, however long it is."""
    span_ns = int(span_s * NS_PER_S)
    assert -(-span_ns // fitting_length(span_ns, most)) <= most


def test_a_picture_starts_at_a_round_time() -> None:
    """Columns begin at whole seconds, so that a mark of time is the edge of a column."""
    picture = Picture("x", ("ES",), START_NS + 123_456_789, START_NS + 3600 * NS_PER_S)
    assert picture.start_ns % NS_PER_S == 0
    assert picture.columns <= MAX_COLUMNS + 1
    assert picture.end_ns >= START_NS + 3600 * NS_PER_S
