"""`feedsim.generate`: a session that is made when its rows are asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd

import feedsim
from feedsim.mia import Session, generate
from tests.mia.conftest import START

REPOSITORY = Path(__file__).parents[2]


def test_the_package_has_it() -> None:
    """As `feedsim.generate`, with a two-hour session of 2025-08-21 09:30 in New York by default."""
    assert feedsim.generate is generate
    session = feedsim.generate()
    assert session.start_ns == int(START.timestamp()) * 10**9
    assert session.length_ns == 7200 * 10**9


def test_naming_it_loads_neither_pandas_nor_the_market() -> None:
    """Whoever imports the package to serve a recording does not wait for them."""
    program = (
        "import sys, feedsim; assert 'generate' in feedsim.__all__; feedsim.generate(minutes=1)\n"
        "sys.exit(len({'pandas', 'numba', 'pyarrow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=False).returncode == 0


def test_every_call_makes_new_tables(session: Session) -> None:
    """Changing one does not change the next."""
    first = session.frames()
    first["l1"]["bid"] = 0.0
    first["l2"]["bid_px"].iloc[0].clear()
    again = session.frames()
    assert (again["l1"]["bid"] > 0).all()
    assert len(again["l2"]["bid_px"].iloc[0]) == 10


def test_the_market_itself_has_the_same_events(session: Session) -> None:
    """`trades` are those that the source tells."""
    trades = session.open().read(session.end_ns)["trade"]
    frame = session.trades()
    assert frame["trade_id"].tolist() == trades.array("trade_id").tolist()
    assert (frame["price"] == trades.array("price")).all()
    assert (frame["ts"] == trades.array("ts") // 10**6).all()


def test_one_symbol_is_as_it_is_among_two() -> None:
    """Its rows do not depend on the others that are asked for."""
    both, alone = (generate(minutes=2, seed=8, symbols=symbols).frames() for symbols in (("ES", "NQ"), ("NQ",)))
    for name in ("l1", "l2", "bars", "footprint"):
        expected = both[name][both[name]["symbol"] == "NQ"].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone[name], expected)


def test_books_are_on_their_interval_from_any_start() -> None:
    """Also where the start is no multiple of it: L1 is still the top of L2."""
    session = generate(minutes=1, seed=8, start=START.replace(second=7, microsecond=35_000), l2_interval_ms=300)
    l1, l2 = session.frames()["l1"], session.frames()["l2"]
    assert ((l2["ts"] - session.start_ns // 10**6) % 300 == 0).all()
    both = l1.merge(l2, on=["ts", "symbol"])
    assert len(both) == 200
    assert (both["bid_size"] == [sizes[0] for sizes in both["bid_sz"]]).all()
