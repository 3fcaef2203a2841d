"""The tape: the same events however it is read, nothing from the future, places that can be come back to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.errors import ConfigError
from feedsim.events import Bar, Chunk, Digest, Event, Leadership, Status, Table
from feedsim.instruments import NS_PER_S
from feedsim.playback.tape import Tape, TapeConfig
from tests.support.memory_source import START_NS, MemorySource, quiet_trades, small_session, small_tables

SECONDS = 150
CONFIG = TapeConfig(bar_tf_s=(1, 60), footprint_tf_s=(30,), profile_every_s=60)


def make_tape(seed: int = 1, **options: Any) -> Tape:
    return Tape(small_session(seconds=SECONDS, rate=4, seed=seed), CONFIG, **options)


def to_end(tape: Tape, rows: int = 500) -> list[Chunk]:
    chunks = []
    while (chunk := tape.advance(rows)) is not None:
        chunks.append(chunk)
    return chunks


def told(chunks: list[Chunk]) -> list[tuple[str, int]]:
    return [(repr(event), avail) for chunk in chunks for event, avail in with_avail(chunk)]


def with_avail(chunk: Chunk) -> list[tuple[Event, int]]:
    return list(zip(chunk.events(), chunk.avail.tolist(), strict=True))


def digest_of(chunks: list[Chunk]) -> str:
    digest = Digest()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


@pytest.fixture(scope="module")
def whole() -> list[Chunk]:
    return to_end(make_tape())


@given(sizes=st.lists(st.integers(1, 2000), min_size=1, max_size=5))
@settings(max_examples=20)
def test_chunk_sizes_do_not_matter(whole: list[Chunk], sizes: list[int]) -> None:
    """However many rows are asked for at a time, the same events with the same seq, n, times and digest."""
    tape = make_tape()
    chunks: list[Chunk] = []
    while (chunk := tape.advance(sizes[len(chunks) % len(sizes)])) is not None:
        chunks.append(chunk)
    assert told(chunks) == told(whole)
    assert digest_of(chunks) == digest_of(whole)


@given(edges=st.lists(st.integers(0, (SECONDS + 120) * NS_PER_S), max_size=12))
@settings(max_examples=20)
def test_windows_do_not_matter(whole: list[Chunk], edges: list[int]) -> None:
    """However the time is cut into windows, the same events."""
    tape = make_tape()
    chunks = [tape.read(START_NS + edge) for edge in sorted(edges)]
    assert told([*chunks, *to_end(tape)]) == told(whole)


@given(at=st.integers(1, SECONDS * NS_PER_S))
@settings(max_examples=25)
def test_no_look_ahead(whole: list[Chunk], at: int) -> None:
    """A session that is cut at t tells the same before t: seq, n and every value."""
    cut_ns = START_NS + at
    before = [(text, avail) for text, avail in told(whole) if avail < cut_ns]
    tape = Tape(small_session(seconds=SECONDS, rate=4).cut_at(cut_ns), CONFIG)
    cut = [(text, avail) for text, avail in told(to_end(tape)) if avail < cut_ns]
    assert cut == before


def test_a_bar_is_told_at_its_end_before_what_the_next_window_has(whole: list[Chunk]) -> None:
    """Every bar of every length: available at ts + tf_s, before all trades and quotes of that time."""
    bars = 0
    last_slow = last_fast = -1
    for chunk in whole:
        for event, avail in with_avail(chunk):
            if isinstance(event, Bar):
                assert avail == event.ts + event.tf_s * NS_PER_S
                assert avail > last_fast
                bars += 1
            elif type(event).__name__ in ("Trade", "L1", "L2"):
                last_fast = avail
            last_slow = max(last_slow, avail)
    assert bars > SECONDS
    assert last_slow > last_fast


def test_bars_are_the_trades_of_their_window(whole: list[Chunk]) -> None:
    """Each bar's trades, volume, open, high, low and close by a loop over the source's trades."""
    trades = small_tables(seconds=SECONDS, rate=4)["trade"]
    columns = [trades.array(name).tolist() for name in ("ts", "symbol", "price", "size")]
    rows = list(zip(*columns, strict=True))
    for event in (event for chunk in whole for event in chunk.events()):
        if isinstance(event, Bar) and event.volume:
            inside = [
                (price, size)
                for ts, symbol, price, size in rows
                if trades.symbols[symbol] == event.symbol and event.ts <= ts < event.ts + event.tf_s * NS_PER_S
            ]
            prices = [price for price, _ in inside]
            assert (event.open, event.high, event.low, event.close) == (
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
            )
            assert (event.volume, event.trades) == (sum(size for _, size in inside), len(inside))


@given(first=st.integers(0, 8), rows=st.integers(1, 400), other=st.booleans())
@settings(max_examples=25)
def test_a_checkpoint_can_be_come_back_to(whole: list[Chunk], first: int, rows: int, other: bool) -> None:
    """From a checkpoint on, the same tape or another one of the same source tells what followed, numbers included."""
    tape = make_tape()
    before = [chunk for _ in range(first) if (chunk := tape.advance(rows)) is not None]
    point = tape.checkpoint()
    assert (point.seq, point.epoch, point.position_ns) == (tape.seq, 1, tape.position_ns)
    to_end(tape)
    again = make_tape() if other else tape
    again.restore(point)
    assert told([*before, *to_end(again)]) == told(whole)


def test_a_session_that_starts_later_has_the_bars_of_the_whole_one(whole: list[Chunk]) -> None:
    """Rolled to its start, a tape tells the same bars, VWAP and cumulative delta among them, numbered from 1."""
    start_ns = START_NS + 61 * NS_PER_S + 5
    tape = make_tape(start_ns=start_ns)
    for _ in tape.roll_to(start_ns):
        pass
    chunks = to_end(tape)
    late = [
        [repr(getattr(event, name)) for name in event.__struct_fields__ if name not in ("seq", "n")]
        for chunk in chunks
        for event in chunk.events()
        if not isinstance(event, Status)
    ]
    expected = [
        [repr(getattr(event, name)) for name in event.__struct_fields__ if name not in ("seq", "n")]
        for chunk in whole
        for event, avail in with_avail(chunk)
        if avail >= start_ns and not isinstance(event, Status)
    ]
    assert late == expected
    assert chunks[0].first_seq == 1


def test_what_is_rolled_over_is_yielded_once() -> None:
    """The rows of the past, each channel in order, up to the start and not beyond."""
    tape = make_tape()
    start_ns = START_NS + 100 * NS_PER_S
    parts = list(tape.roll_to(start_ns))
    trades = Table.concatenate([part["trade"] for part in parts if "trade" in part])
    expected = small_tables(seconds=SECONDS, rate=4)["trade"]
    assert trades.array("trade_id").tolist() == expected.array("trade_id")[expected.avail < start_ns].tolist()
    assert all(int(table.avail[-1]) < start_ns for part in parts for table in part.values())
    assert "bar" in {channel for part in parts for channel in part}


def test_an_epoch_begins_with_the_reason_for_it() -> None:
    """seq and n begin at 1 with one status `epoch` for each symbol; then the session's phase is told."""
    tape = make_tape()
    tape.advance(100)
    tape.open_epoch(2, "seek")
    chunk = tape.advance(100)
    assert chunk is not None
    first = chunk.events(0, 4)
    assert [(event.seq, event.symbol) for event in first] == [(1, "ES"), (2, "ES"), (3, "NQ"), (4, "NQ")]
    assert [event.phase for event in first if isinstance(event, Status)] == ["epoch", "open", "epoch", "open"]
    assert {event.reason for event in first if isinstance(event, Status) and event.phase == "epoch"} == {"seek"}
    assert chunk.epoch == tape.epoch == 2


def test_a_source_s_own_bars_are_not_sent_where_it_has_trades() -> None:
    """Bars are computed from the trades; context and the like are passed on."""
    tables = small_tables(seconds=SECONDS, rate=4)
    bar = Table.build(
        "bar",
        tables["trade"].symbols,
        {"ts": [START_NS], "symbol": [0], "tf_s": [60], "volume": [10**9], "close": [1.0]},
        avail=np.array([START_NS + 60 * NS_PER_S]),
    )
    context = Table.build("context", tables["trade"].symbols, {"ts": [START_NS], "symbol": [0], "vix": [20.0]})
    tape = Tape(MemorySource({**tables, "bar": bar, "context": context}, ("ES", "NQ")), CONFIG)
    events = [event for chunk in to_end(tape) for event in chunk.events()]
    assert 10**9 not in {event.volume for event in events if isinstance(event, Bar)}
    assert [event for event in events if type(event).__name__ == "Context"]
    quotes_only = Tape(MemorySource({"bar": bar, "l1": tables["l1"]}, ("ES", "NQ")), CONFIG)
    events = [event for chunk in to_end(quotes_only) for event in chunk.events()]
    assert [event.volume for event in events if isinstance(event, Bar)] == [10**9]


def test_features_are_computed_where_a_source_brings_none() -> None:
    """A row a second and symbol beside trades and quotes, as often as is wanted; a source's own are passed on."""
    tables = small_tables(seconds=20, rate=8)
    told = [event for chunk in to_end(Tape(MemorySource(tables, ("ES", "NQ")), CONFIG)) for event in chunk.events()]
    times = [event.ts for event in told if isinstance(event, Leadership) and event.symbol == "ES"]
    assert times == list(range(times[0], times[-1] + 1, NS_PER_S))
    assert all(event.gamma_proximity is None for event in told if isinstance(event, Leadership))
    own = {"ts": [START_NS + 5], "symbol": [1], "confluence_score": [0.25]}
    brought = {**tables, "leadership": Table.build("leadership", ("ES", "NQ"), own)}
    passed = [event for chunk in to_end(Tape(MemorySource(brought, ("ES", "NQ")), CONFIG)) for event in chunk.events()]
    assert [event.confluence_score for event in passed if isinstance(event, Leadership)] == [0.25]
    for without in ({"trade": tables["trade"]}, {"l1": tables["l1"]}):
        assert "leadership" not in Tape(MemorySource(without, ("ES", "NQ")), CONFIG).channels
    assert "leadership" not in Tape(MemorySource(tables, ("ES", "NQ")), TapeConfig(features_every_s=0)).channels


def test_features_repeat_what_a_session_was_told_of_leadership() -> None:
    """Mode and parameter come with the source."""
    source = MemorySource(small_tables(seconds=5, rate=8), ("ES", "NQ"))
    source.info = replace(source.info, leadership=("NQ_leads", 0.25))
    told = [event for chunk in to_end(Tape(source, CONFIG)) for event in chunk.events()]
    rows = [event for event in told if isinstance(event, Leadership)]
    assert {(row.leadership_mode, row.leadership_strength_param) for row in rows} == {("NQ_leads", 0.25)}


@pytest.mark.parametrize("every_s", [-1, 7, 86_401])
def test_features_come_at_times_that_divide_a_day(every_s: int) -> None:
    """As bars do, so that they lie at the same times every day."""
    with pytest.raises(ConfigError, match="features_every_s"):
        msgspec.convert({"features_every_s": every_s}, TapeConfig)


def test_channels_are_those_that_are_told(whole: list[Chunk]) -> None:
    """`channels` names exactly what comes."""
    channels = {str(type(event).__struct_config__.tag) for chunk in whole for event in chunk.events()}
    assert set(make_tape().channels) == channels


def test_the_last_bars_are_told_after_the_last_trade() -> None:
    """A source that ends inside a minute: its bars are told when they end, and then nothing more."""
    trades = quiet_trades([START_NS + 5, START_NS + 90 * NS_PER_S])
    tape = Tape(MemorySource({"trade": trades}, ("ES",)), TapeConfig(bar_tf_s=(60,), footprint_tf_s=()))
    bars = [event for chunk in to_end(tape) for event in chunk.events() if isinstance(event, Bar)]
    assert [(bar.ts - START_NS) // NS_PER_S for bar in bars] == [0, 60]
    assert tape.ended
    assert tape.advance(10) is None


def test_an_end_that_was_asked_for_is_kept() -> None:
    """Nothing is told after `end_ns`, and at it only what ended there."""
    end_ns = START_NS + 90 * NS_PER_S
    rows = [(event, avail) for chunk in to_end(make_tape(end_ns=end_ns)) for event, avail in with_avail(chunk)]
    assert max(avail for _, avail in rows) == end_ns
    assert {type(event).__name__ for event, avail in rows if avail == end_ns} <= {
        "Bar",
        "Footprint",
        "Profile",
        "Leadership",
    }


def test_a_session_without_time_is_refused() -> None:
    """It would end before it starts."""
    with pytest.raises(ConfigError, match="start"):
        make_tape(start_ns=START_NS + 10, end_ns=START_NS + 10)


@pytest.mark.parametrize("tf_s", [0, -60, 7, 100_000, 86_401])
@pytest.mark.parametrize("field", ["bar_tf_s", "footprint_tf_s"])
def test_lengths_must_divide_a_day(field: str, tf_s: int) -> None:
    """Otherwise windows would not start where a day does."""
    with pytest.raises(ConfigError, match=field):
        msgspec.convert({field: (60, tf_s)}, TapeConfig)


def test_close_closes_the_source() -> None:
    """Files are not left open."""
    source = small_session(seconds=2)
    Tape(source).close()
    assert source.closed


def test_closed_hours_are_one_window() -> None:
    """A weekend without rows costs a few reads, not one a minute."""
    friday = START_NS + NS_PER_S * 86_400 + 7 * 3600 * NS_PER_S
    sunday = START_NS + NS_PER_S * 86_400 * 3 + 9 * 3600 * NS_PER_S
    source = CountingSource(quiet_trades([friday, sunday]))
    to_end(Tape(source, TapeConfig(bar_tf_s=(60,), footprint_tf_s=(), flat_bars=False)))
    assert source.reads < 250


class CountingSource(MemorySource):
    """Counts how often it is read."""

    def __init__(self, trades: Table) -> None:
        super().__init__({"trade": trades}, ("ES",))
        self.reads = 0

    def read(self, until_ns: int) -> dict[str, Table]:
        self.reads += 1
        return super().read(until_ns)
