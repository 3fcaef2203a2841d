"""The synthetic market as a source."""

from __future__ import annotations

import math
from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.errors import ConfigError, SourceError
from feedsim.events import INT_NULL, Digest, Ragged
from feedsim.events.types import L1, Trade
from feedsim.instruments import INSTRUMENTS, NS_PER_S, trading_day
from feedsim.market.config import PRICES, START_NS, MarketConfig
from feedsim.market.scenario import News, Phase, Scenario, Window
from feedsim.market.scenarios import SCENARIOS
from feedsim.playback.merge import Merger
from feedsim.playback.tape import Tape
from feedsim.sources import catalog
from feedsim.sources.base import Source, Tables
from feedsim.sources.synthetic import SyntheticSource
from feedsim.testing import check_source

SPAN_NS = 20 * NS_PER_S
END_NS = START_NS + SPAN_NS
CLOSE_NS = START_NS + (7 * 3600 + 1800) * NS_PER_S  # 17:00
STOP_AND_GO = Scenario(
    name="stop and go",
    about="trading stands again and again",
    windows=(Window(phases=(Phase(name="halt", seconds=(300.0, 300.0), lean={"halt": 1.0}),), gap_s=(300.0, 300.0)),),
)
few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**63 - 1)
offsets = st.integers(0, SPAN_NS)


def _digest(source: Source, *times: int) -> str:
    """Of all rows told up to each of some times, in the tape's order."""
    digest, merger = Digest(), Merger(source.info.symbols)
    for ns in times:
        digest.update(merger.merge(source.read(ns)))
    return digest.hexdigest()


@pytest.mark.parametrize(
    "options",
    [
        {"minutes": 1},
        {"minutes": 0.001, "config": MarketConfig(symbols=("ES",))},
        {"seed": 9, "config": MarketConfig(symbols=("NQ", "MES", "ES", "MNQ"), l2_interval_ms=7)},
        {"start_ns": CLOSE_NS - 3 * NS_PER_S, "config": MarketConfig(l2_interval_ms=1000)},
        {"start_ns": CLOSE_NS, "minutes": 60.1},
        {"minutes": 1, "config": MarketConfig(scenario="news_spike", leadership="ES_leads", strength=0.4)},
        {"minutes": 1, "start_ns": START_NS + 1, "config": MarketConfig(scenario=STOP_AND_GO)},
    ],
    ids=["a minute", "60 ms", "four symbols", "over the break", "from the close", "news", "halts"],
)
def test_it_keeps_the_contract(options: dict[str, Any]) -> None:
    """Windows, positions, order, times and the end are as every source has them."""
    check_source(lambda: SyntheticSource(**options), max_rows=8000)


@few
@given(seeds, st.lists(offsets, max_size=8))
def test_same_seed_same_bytes(seed: int, cuts: list[int]) -> None:
    """Whatever the windows; and another seed tells something else."""
    whole = _digest(SyntheticSource(seed=seed), END_NS)
    assert _digest(SyntheticSource(seed=seed), *(START_NS + cut for cut in cuts), END_NS) == whole
    assert _digest(SyntheticSource(seed=(seed + 1) % 2**63), END_NS) != whole


@few
@given(seeds, st.lists(offsets, min_size=1, max_size=5))
def test_seek_back_and_forth(seed: int, places: list[int]) -> None:
    """From each place on the rows are those of a source that was read up to there."""
    source = SyntheticSource(seed=seed)
    for place in places:
        straight = SyntheticSource(seed=seed)
        straight.read(START_NS + place)
        source.seek(START_NS + place)
        assert _digest(source, END_NS) == _digest(straight, END_NS)


def test_a_shorter_session_is_the_start_of_a_longer_one() -> None:
    """`minutes` only cuts."""
    end_ns = START_NS + 6 * NS_PER_S
    assert _digest(SyntheticSource(minutes=0.1), END_NS) == _digest(SyntheticSource(), end_ns)
    assert not SyntheticSource(minutes=0.1).read(END_NS)["l1"].avail[-1] >= end_ns


def test_symbols_do_not_depend_on_each_other() -> None:
    """ES is the same alone and beside others."""
    alone, among = (SyntheticSource(config=MarketConfig(symbols=symbols)) for symbols in (("ES",), ("NQ", "MES", "ES")))
    assert among.info.symbols == ("ES", "MES", "NQ")
    mine, its = alone.read(END_NS), among.read(END_NS)
    for channel, table in mine.items():
        rows = its[channel].take(its[channel].array("symbol") == 0)
        for name, column in table.columns.items():
            values, others = (
                each.values if isinstance(each, Ragged) else each for each in (column, rows.columns[name])
            )
            assert np.array_equal(values, others, equal_nan=values.dtype == np.float64), f"{channel}.{name}"


@pytest.fixture(scope="module")
def tables() -> Tables:
    return SyntheticSource(config=MarketConfig(symbols=tuple(INSTRUMENTS))).read(START_NS + 60 * NS_PER_S)


def test_prices_are_multiples_of_their_tick(tables: Tables) -> None:
    """To the bit, and near the price at which they were told to start."""
    ticks = np.array([INSTRUMENTS[symbol].tick for symbol in sorted(INSTRUMENTS)])
    level = np.array([PRICES["ES"], PRICES["ES"], PRICES["NQ"], PRICES["NQ"]])  # ES, MES, MNQ, NQ
    for channel, names in (("trade", ("price",)), ("l1", ("bid", "ask", "last_price"))):
        symbol = tables[channel].array("symbol")
        for name in names:
            prices = tables[channel].array(name)
            known = ~np.isnan(prices)
            assert (prices[known] % ticks[symbol[known]] == 0).all()
            assert (abs(prices[known] / level[symbol[known]] - 1) < 0.02).all()


def test_l2_rows_agree_with_themselves(tables: Tables) -> None:
    """Ten levels; mid and spread are those of the best; order counts are known."""
    l2 = tables["l2"]
    bid, ask = (l2.ragged(f"{side}_px").values.reshape(-1, 10)[:, 0] for side in ("bid", "ask"))
    assert (l2.array("mid") == (bid + ask) / 2).all()
    assert (l2.array("spread") == ask - bid).all()
    assert (l2.array("levels") == 10).all()
    for side in ("bid", "ask"):
        lots, orders = (l2.ragged(f"{side}_{what}").values for what in ("sz", "ct"))
        assert (lots >= orders).all()
        assert orders.min() >= 1
    assert not l2.array("coarse").any()


def test_last_is_null_before_the_first_trade(tables: Tables) -> None:
    """A session's first quote has no last trade, in both fields; later ones have one."""
    l1 = tables["l1"]
    none = np.isnan(l1.array("last_price"))
    assert (none == (l1.array("last_size") == INT_NULL)).all()
    assert none[0]
    assert not none[-1]


def test_a_trade_comes_before_its_quote_on_the_tape() -> None:
    """In the one order, after a trade and what else its order traded comes the L1 that they caused, at that time."""
    tape = Tape(SyntheticSource(config=MarketConfig(symbols=("NQ",))))
    events = tape.read(START_NS + 30 * NS_PER_S).events(channels=frozenset({"trade", "l1"}))
    pairs = [(event, after) for event, after in pairwise(events) if isinstance(event, Trade)]
    assert len(pairs) > 50
    for trade, after in pairs:
        assert after.ts == trade.ts
        if isinstance(after, L1):
            assert (after.last_price, after.last_size) == (trade.price, trade.size)
        else:
            assert isinstance(after, Trade)
            assert after.side == trade.side


def test_the_default_session() -> None:
    """ES and NQ, from 09:30 on the seed's day, without end."""
    info = SyntheticSource().info
    assert (info.kind, info.symbols, info.channels) == (
        "synthetic",
        ("ES", "NQ"),
        ("status", "context", "truth", "trade", "l1", "l2"),
    )
    assert (info.start_ns, info.end_ns) == (1_755_783_000_000_000_000, None)


def test_reopen_from_its_identity() -> None:
    """JSON and back, then the same bytes."""
    own = Scenario(name="own", about="mine", always={"mu": 0.1}, news=(News(at=1.0, size=-2.0),))
    config = MarketConfig(symbols=("NQ",), scenario=own, l2_interval_ms=50, prices={"NQ": 20_000.0})
    source = SyntheticSource(config=config, seed=5, minutes=2.5)
    identity = msgspec.json.decode(msgspec.json.encode(source.info.identity))
    again = catalog.reopen(identity)
    assert again.info.identity == source.info.identity
    assert _digest(again, END_NS) == _digest(source, END_NS)


def test_another_version_of_the_market_is_refused() -> None:
    """A recording or a state of another FORMAT would not be made again, so it is not opened."""
    source = SyntheticSource()
    with pytest.raises(SourceError, match="version 0 of the synthetic market; this feedsim makes version"):
        SyntheticSource.reopen({**source.info.identity, "market": 0})
    number, *rest = msgspec.msgpack.decode(source.save())
    with pytest.raises(SourceError, match=f"version {number + 1} of the synthetic market"):
        source.restore(msgspec.msgpack.encode([number + 1, *rest]))


def test_a_saved_position_is_small() -> None:
    """Four symbols in some tens of KiB."""
    source = SyntheticSource(config=MarketConfig(symbols=tuple(INSTRUMENTS)))
    source.seek(START_NS + 600 * NS_PER_S)
    assert len(source.save()) < 144 << 10


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("synthetic:trend", {}, "scenario: 'trend': no such scenario; did you mean trend_up? there is normal"),
        ("synthetic:xyz", {}, f"scenario: 'xyz': no such scenario; there is {', '.join(SCENARIOS)}"),
        ("synthetic:", {"seed": -1}, "seed: -1: expected a whole number from 0"),
        ("synthetic:", {"seed": 2**63}, "seed: 9223372036854775808: expected"),
        ("synthetic:", {"minutes": 0}, "minutes: 0: expected a number above 0"),
        ("synthetic:", {"minutes": -5.0}, "minutes: -5.0: expected a number above 0"),
        ("synthetic:", {"minutes": math.nan}, "minutes: nan: expected"),
        ("synthetic:", {"minutes": math.inf}, "minutes: inf: expected"),
    ],
)
def test_what_it_cannot_do(name: str, options: dict[str, Any], message: str) -> None:
    """One line that names the field, the value and what is allowed."""
    with pytest.raises(ConfigError) as error:
        SyntheticSource(name, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_truth_is_told_each_second(tables: Tables) -> None:
    """For each symbol the same, at whole seconds since the start, and none is skipped."""
    truth = tables["truth"]
    seconds = np.repeat(START_NS + np.arange(60) * NS_PER_S, len(INSTRUMENTS))
    assert (truth.array("ts") == seconds).all()
    assert (truth.array("symbol") == np.tile(np.arange(len(INSTRUMENTS)), 60)).all()


def test_truth_is_that_of_the_schedule() -> None:
    """Second by second, wherever the source was sought to."""
    source = SyntheticSource("synthetic:delta_divergence", seed=3, minutes=5)
    source.seek(START_NS + 30 * NS_PER_S + 1)
    truth = source.read(START_NS + 200 * NS_PER_S)["truth"]
    told = [source.schedule.truth(second) for second in range(31, 200)]
    assert truth.array("ts")[0] == START_NS + 31 * NS_PER_S
    assert truth.array("label")[::2].tolist() == [each.label for each in told]
    assert truth.array("confidence")[1::2].tolist() == [each.confidence for each in told]
    assert truth.array("window_id")[::2].tolist() == [
        INT_NULL if each.window_id is None else each.window_id for each in told
    ]
    assert set(truth.array("label").tolist()) == {"none", "divergence_warning"}


def test_halts_are_told() -> None:
    """When trading stands and when it goes on, for each symbol; between the two nothing else is told."""
    source = SyntheticSource(config=MarketConfig(scenario=STOP_AND_GO), minutes=2)
    read = source.read(START_NS + 120 * NS_PER_S)
    status, l1 = read["status"], read["l1"]
    for code in range(2):
        mine = status.take(status.array("symbol") == code)
        assert mine.array("phase").tolist()[:4] in (["halt", "open"] * 2, ["open", "halt"] * 2)
        assert set(mine.array("reason").tolist()) == {"planned", "halt over"}
        times = l1.array("ts")[l1.array("symbol") == code]
        for (since, until), phase in zip(pairwise(mine.array("ts").tolist()), mine.array("phase"), strict=False):
            inside = (times >= since) & (times < until)
            assert inside.any() == (phase == "open")


def test_the_halt_of_former_years_is_told() -> None:
    """As what it is, when it begins and when it is over."""
    start_ns = trading_day(date(2021, 6, 25)).rth_close_ns + 14 * 60 * NS_PER_S
    source = SyntheticSource(config=MarketConfig(symbols=("ES",), legacy_halt=True), minutes=17, start_ns=start_ns)
    status = source.read(start_ns + 17 * 60 * NS_PER_S)["status"]
    assert status.array("reason").tolist() == ["daily halt", "halt over"]
    assert (status.array("ts") - start_ns).tolist() == [60 * NS_PER_S, 16 * 60 * NS_PER_S]


def test_context_is_whole(tables: Tables) -> None:
    """A row a second and symbol; a micro has its big contract's; all within what users are told."""
    context = tables["context"]
    assert len(context) == 60 * len(INSTRUMENTS)
    symbol = context.array("symbol")
    for name in ("vix", "gamma_flip", "put_call_ratio", "pin_strength"):
        values = context.array(name)
        assert np.isfinite(values).all()
        es, mes, mnq, nq = (values[symbol == code] for code in range(4))
        assert np.array_equal(es, mes)
        assert np.array_equal(nq, mnq)
    assert ((context.array("put_call_ratio") >= 0.7) & (context.array("put_call_ratio") <= 1.3)).all()
    assert ((context.array("pin_strength") >= 0) & (context.array("pin_strength") <= 1)).all()


def test_the_catalog_opens_it() -> None:
    """By its word, with the market's settings and its one option."""
    market = catalog.Market(seed=3, symbols=("MES",), minutes=1.0, start_ns=START_NS + 1)
    info = catalog.open_source("synthetic:", market=market, options={"l2_interval_ms": "20"}).info
    assert info.name == "synthetic:normal"
    assert (info.identity["seed"], info.identity["config"]["l2_interval_ms"], info.start_ns) == (3, 20, START_NS + 1)
    with pytest.raises(ConfigError, match="no such scenario"):
        catalog.open_source("synthetic:nothing")
