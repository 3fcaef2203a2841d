"""A session: history that only knows the past, epochs, rebase, what it says of itself; under virtual time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.events import Chunk, Event, StreamKey
from feedsim.hub.memory import KEPT_ROWS, MOST_PARTS, History
from feedsim.hub.ring import Block, Ring
from feedsim.instruments import NS_PER_S
from feedsim.sources.base import Tables
from feedsim.wire import messages as m
from tests.hub.lines import CONFIG, EVERYTHING, UNPACED, WALL_US, Hub, stream_of, subscription, tape_events
from tests.support.chunks import session
from tests.support.memory_source import START_NS, MemorySource, small_session
from tests.support.virtual_time import run_virtually, take_time

SHORT = partial(small_session, seconds=30, rate=10)
ALL = subscription(*EVERYTHING)


def values(events: list[Any]) -> list[list[str]]:
    """Without seq and n: what two epochs have in common."""
    return [
        [repr(getattr(event, name)) for name in event.__struct_fields__ if name not in ("seq", "n")] for event in events
    ]


def history(hub: Hub, channel: str, symbol: str = "ES", **options: Any) -> list[Event]:
    request = m.History(channel=channel, symbol=symbol, **{"count": 5000, "ts": "ns", **options})
    return list(hub.session.history(request).events)


def tape_before(ns: int, channel: str, tf_s: int = 0) -> list[Event]:
    """The rows of one stream of ES that are available before a time."""
    stream = (channel, "ES", tf_s) if tf_s else (channel, "ES")
    return [event for event in tape_events(SHORT) if stream_of(event) == stream and available(event) < ns]


def available(event: Event) -> int:
    return event.ts + getattr(event, "tf_s", 0) * NS_PER_S


@given(waits=st.lists(st.floats(0.01, 2), min_size=1, max_size=8), busy_s=st.floats(0.001, 0.5))
@settings(max_examples=20)
def test_what_is_due_goes_before_what_clients_ask_for(waits: list[float], busy_s: float) -> None:
    """The loop was busy for a while; who comes then finds all that became due meanwhile told."""

    async def main() -> None:
        hub, tape = Hub(SHORT), tape_events(SHORT)
        for wait_s in waits:
            await asyncio.sleep(wait_s)
            take_time(busy_s)
            await hub.session.due_is_told()
            now_ns = START_NS + int(asyncio.get_running_loop().time() * NS_PER_S)
            assert all(available(event) > now_ns - 1000 for event in tape[hub.session.ring.head :])
        await hub.stop()

    run_virtually(main)


@given(at_s=st.floats(0.1, 29), chunk_rows=st.sampled_from([10, 100, 4096]), ring_bytes=st.sampled_from([5_000, 10**7]))
@settings(max_examples=20)
def test_history_is_what_was_told_and_nothing_else(at_s: float, chunk_rows: int, ring_bytes: int) -> None:
    """Of slow streams all, of fast ones what the ring has; oldest first, up to now."""

    async def main() -> None:
        hub = Hub(SHORT, chunk_rows=chunk_rows, ring_bytes=ring_bytes)
        await asyncio.sleep(at_s)
        head = hub.session.ring.head
        tape = tape_events(SHORT)[:head]
        for channel, tf_s in (("bar", 1), ("bar", 5), ("profile", None), ("status", None), ("footprint", 5)):
            stream = (channel, "ES", tf_s) if tf_s else (channel, "ES")
            expected = [event for event in tape if stream_of(event) == stream]
            told = history(hub, channel, tf_s=tf_s)
            assert list(map(repr, told)) == list(map(repr, expected))
            assert list(map(repr, history(hub, channel, tf_s=tf_s, count=2))) == list(map(repr, expected[-2:]))
        for channel in ("trade", "l1", "l2"):
            told = history(hub, channel)
            expected = [event for event in tape if stream_of(event) == (channel, "ES")]
            assert list(map(repr, told)) == list(map(repr, expected[len(expected) - len(told) :]))
            assert len(told) == len(expected) or ring_bytes < 10**7
        assert history(hub, "context") == []
        await hub.stop()

    run_virtually(main)


def test_history_of_bars_without_a_length_is_of_the_longest() -> None:
    """5 s in these sessions."""

    async def main() -> None:
        hub = Hub(SHORT)
        await asyncio.sleep(20)
        assert {event.tf_s for event in history(hub, "bar") if hasattr(event, "tf_s")} == {5}
        await hub.stop()

    run_virtually(main)


@given(
    at_s=st.floats(0.5, 28),
    to_s=st.floats(0.0, 29),
    chunk_rows=st.sampled_from([20, 300]),
    checkpoint_rows=st.sampled_from([50, 1 << 16]),
)
@settings(max_examples=30)
def test_after_a_seek_history_is_the_past_of_that_time(
    at_s: float, to_s: float, chunk_rows: int, checkpoint_rows: int
) -> None:
    """Back and forth: all bars before it, each once, and none from what is now the future."""

    async def main() -> None:
        hub = Hub(SHORT, chunk_rows=chunk_rows)
        hub.session.player.lookahead.checkpoint_rows = checkpoint_rows
        await asyncio.sleep(at_s)
        hub.session.player.pause()
        to_ns = START_NS + int(to_s * NS_PER_S)
        hub.session.player.seek(to_ns)
        await hub.session.settled()
        for channel, tf_s in (("bar", 1), ("footprint", 5), ("profile", 0)):
            past = [event for event in history(hub, channel, tf_s=tf_s or None) if event.seq == 0]
            assert values(past) == values(tape_before(to_ns, channel, tf_s))
        await hub.stop()

    run_virtually(main)


def test_a_session_that_starts_later_has_the_past_as_history() -> None:
    """With seq 0 and n 0; then the session's own bars."""

    async def main() -> None:
        start_ns = START_NS + 12 * NS_PER_S
        hub = Hub(SHORT, start_ns=start_ns)
        await asyncio.sleep(5.5)
        told = history(hub, "bar", tf_s=1)
        assert values(told) == values(tape_before(start_ns + 5 * NS_PER_S + 1, "bar", 1))
        assert [event.n for event in told] == [0] * 11 + list(range(1, len(told) - 10))
        await hub.stop()

    run_virtually(main)


def test_history_is_bounded() -> None:
    """A stream keeps its newest rows, about as many as a request may ask for."""

    async def main() -> None:
        hub = Hub(partial(small_session, seconds=6000, rate=0.5), speed=UNPACED, ring_bytes=20_000)
        await hub.ended()
        told = history(hub, "bar", tf_s=1)
        assert KEPT_ROWS <= len(told) < KEPT_ROWS + 5000
        assert [event.n for event in told] == list(range(told[0].n, told[0].n + len(told)))
        await hub.stop()

    run_virtually(main)


# ------------------------------------------------------------------------------------------------------------- epochs


def test_history_in_small_pieces_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that tells a row at a time: never more than the rows that are kept, in few pieces; the last ones."""
    kept_rows = 200
    monkeypatch.setattr("feedsim.hub.memory.KEPT_ROWS", kept_rows)
    history, ring = History(), Ring(1)
    key, told = StreamKey("context", "ES"), 0
    for chunk in session(3, windows=3 * kept_rows, rows=2, channels=("context",)):
        history.on_told(chunk)
        told = max([told, *(event.n for event in chunk.events() if event.symbol == "ES")])
    parts = history._parts[key]
    assert sum(map(len, parts)) <= kept_rows + MOST_PARTS
    assert len(parts) <= MOST_PARTS + 1
    kept = [event.n for event in history.events(ring, key, kept_rows, scale=1)]
    assert told > kept_rows
    assert kept == list(range(told - kept_rows + 1, told + 1))


def test_a_seek_is_told_and_what_was_owed_is_named() -> None:
    """Every reader hears replay_state with the new epoch before its events; who was behind hears what it lost."""

    async def main() -> None:
        hub = Hub(partial(small_session, seconds=100, rate=200))
        line, _ = hub.join(ALL, from_seq=0)
        slow, _ = hub.join(ALL, from_seq=0)
        await asyncio.sleep(1)
        slow.stall()
        await asyncio.sleep(40)
        head = hub.session.ring.head
        hub.session.player.seek(START_NS + 90 * NS_PER_S)
        await hub.session.settled()
        slow.go_on()
        await hub.ended()
        await hub.stop()
        for each in (line, slow):
            kinds = [message for message in each.messages if isinstance(message, (m.Events, m.ReplayState, m.Skipped))]
            at = next(at for at, message in enumerate(kinds) if isinstance(message, m.ReplayState))
            before = [event for message in kinds[:at] if isinstance(message, m.Events) for event in message.of_the_tape]
            lost = sum(one.last_n - one.first_n + 1 for one in kinds[:at] if isinstance(one, m.Skipped))
            assert len(before) + lost == head
            assert (each is slow) == (lost > 0)
            after = [event for message in kinds[at:] if isinstance(message, m.Events) for event in message.of_the_tape]
            assert [event.seq for event in after] == list(range(1, len(after) + 1))
            assert each.told(m.ReplayState)[0].epoch == 2

    run_virtually(main)


def test_rebase_shifts_all_times_by_one_offset() -> None:
    """The session happens now by the wall clock; welcome names the offset; the digest is that of the tape."""

    async def main() -> None:
        hub = Hub(SHORT, setup={"rebase": True})
        line, _ = hub.join(ALL, from_seq=0)
        await hub.ended()
        await hub.stop()
        welcome = hub.session.welcome(None, sources=(), auth_required=False)
        tape = tape_events(SHORT)
        shifts = {(event.ts - plain.ts) for event, plain in zip(line.events, tape, strict=True)}
        assert shifts == {welcome.rebase_ms * 10**6}
        assert line.events[0].ts // 1000 == pytest.approx(WALL_US, abs=1000)

    run_virtually(main)


# --------------------------------------------------------------------------------------------------- what it says


def test_what_a_session_says_of_itself() -> None:
    """Channels, symbols, lengths, ticks, the clock in milliseconds, and what may be done with it."""

    async def main() -> None:
        hub = Hub(SHORT, speed=2.0, setup={"controllable": True, "private": True})
        await asyncio.sleep(3)
        welcome = hub.session.welcome(5, sources=("live",), auth_required=True)
        assert (welcome.id, welcome.sources, welcome.auth_required, welcome.controllable) == (5, ["live"], True, True)
        assert welcome.channels == ["status", "bar", "footprint", "profile", "leadership", "trade", "l1", "l2"]
        assert (welcome.symbols, welcome.ticks) == (["ES", "NQ"], {"ES": 0.25, "NQ": 0.25})
        assert welcome.tf_s == list(CONFIG.tf_s)
        assert welcome.clock == m.ClockInfo(START_NS // 10**6 + 6000, 2.0, "playing")
        offer = hub.session.offer(("live",))
        assert (offer.may_wait, offer.default_policy, offer.controllable) == (True, "wait", True)
        hub.session.player.set_speed(UNPACED)
        assert hub.session.clock().speed == "max"
        await hub.stop()

    run_virtually(main)


def test_before_its_start_and_after_its_end_nothing_has_to_be_waited_for() -> None:
    """`settled` returns at once, so no client can hang on it."""

    async def main() -> None:
        hub = Hub(SHORT)
        hub.start.clear()
        hub.session.player.seek(START_NS + 5 * NS_PER_S)
        await asyncio.wait_for(hub.session.settled(), 1)
        hub.start.set()
        await hub.ended()
        hub.session.player.step(1, "event")
        await asyncio.wait_for(hub.session.settled(), 1)
        await hub.stop()

    run_virtually(main)


class Broken(MemorySource):
    """Its data is wrong after ten seconds."""

    def read(self, until_ns: int) -> Tables:
        if until_ns > START_NS + 10 * NS_PER_S:
            raise SourceError("expected a price", file="x", row=3)
        return super().read(until_ns)


def broken() -> Broken:
    good = small_session(seconds=30, rate=10)
    return Broken(good.read(START_NS + 30 * NS_PER_S), ("ES", "NQ"), start_ns=START_NS)


def test_wrong_data_ends_the_session_with_its_error() -> None:
    """Whoever runs it gets the SourceError; nobody waits for ever."""

    async def main() -> None:
        hub = Hub(broken)
        with pytest.raises(SourceError, match="row 3"):
            await hub.task
        await asyncio.wait_for(hub.session.settled(), 1)
        hub.session.close()

    run_virtually(main)


class Notes:
    """A recorder that takes half a second for each slice."""

    def __init__(self) -> None:
        self.durable_seq = 0
        self.slices: list[tuple[int, int]] = []

    def append(self, chunk: Chunk, lo: int, hi: int) -> None:
        self.slices.append((chunk.first_seq + lo, chunk.first_seq + hi - 1))

    async def ready(self) -> None:
        await asyncio.sleep(0.5)
        self.durable_seq = self.slices[-1][1] if self.slices else 0


@pytest.mark.parametrize("speed", [1.0, UNPACED])
def test_a_recorder_gets_everything_once_and_sets_the_pace_only_at_max(speed: float) -> None:
    """Slices that follow each other from 1 to the end; durable_seq is told in heartbeats."""

    async def main() -> None:
        notes = Notes()
        hub = Hub(SHORT, speed=speed, recorder=notes)
        line, _ = hub.join(ALL)
        loop = asyncio.get_running_loop()
        while hub.session.player.state != "ended":  # noqa: ASYNC110 # time is virtual
            await asyncio.sleep(0.1)
        took = loop.time()
        await asyncio.sleep(2)
        await hub.stop()
        assert [first for first, _ in notes.slices] == [1, *(last + 1 for _, last in notes.slices[:-1])]
        assert notes.slices[-1][1] == len(tape_events(SHORT))
        if speed == UNPACED:
            assert took == pytest.approx(0.5 * len(notes.slices), abs=0.2)
            assert line.told(m.Heartbeat)[-1].durable_seq > 0
        else:
            assert took == pytest.approx(60, abs=1)

    run_virtually(main)


class Following:
    """A follower that keeps what it is told, and fails where it is told to."""

    some_wait = False

    def __init__(self, *, fails: str = "") -> None:
        self.fails = fails
        self.told: list[tuple[str, int, int]] = []

    def _note(self, what: str, first: int = 0, last: int = 0) -> None:
        self.told.append((what, first, last))
        if what == self.fails:
            raise RuntimeError("a bridge's own mistake")

    async def ready(self) -> None:
        """Nobody waits for it."""

    def prepare(self, block: Block) -> None:
        self._note("prepare", block.first_seq, block.last_seq)

    def publish(self, block: Block, lo: int, hi: int) -> None:
        self._note("publish", block.first_seq + lo, block.first_seq + hi - 1)

    def restart(self) -> None:
        self._note("restart")


def test_followers_are_told_everything_in_order_and_of_epochs() -> None:
    """Each block is prepared before any of it is told; a seek restarts them before the new epoch's first event."""

    async def main() -> None:
        hub = Hub(SHORT, speed=UNPACED)
        follower = Following()
        hub.session.followers.append(follower)
        await hub.ended()
        hub.session.player.seek(START_NS + 10 * NS_PER_S)
        await asyncio.sleep(0)
        await hub.ended()
        restart = follower.told.index(("restart", 0, 0))
        first, second = follower.told[:restart], follower.told[restart + 1 :]
        for told, last in ((first, len(tape_events(SHORT))), (second, hub.session.ring.head)):
            published = [seq for what, lo, hi in told if what == "publish" for seq in range(lo, hi + 1)]
            assert published == list(range(1, last + 1))
            prepared = 0
            for what, _, hi in told:
                prepared = max(prepared, hi if what == "prepare" else 0)
                assert hi <= prepared
        await hub.stop()

    run_virtually(main)


@pytest.mark.parametrize("fails", ["prepare", "publish", "restart"])
def test_a_follower_that_fails_is_told_no_more_and_nobody_else_notices(fails: str, logged: list[str]) -> None:
    """The session goes on for its clients and the other followers; the log has the failure."""

    async def main() -> None:
        hub = Hub(SHORT, speed=UNPACED)
        bad, good = Following(fails=fails), Following()
        hub.session.followers += [bad, good]
        line, _ = hub.join(ALL)
        await hub.ended()
        hub.session.player.seek(START_NS)
        await asyncio.sleep(1)
        assert [what for what, _, _ in bad.told].count(fails) == 1
        assert bad.told[-1][0] == fails
        assert good.told[: len(bad.told)] == bad.told
        assert len(good.told) > len(bad.told)
        assert len(line.events) > 1000
        await hub.stop()

    run_virtually(main)
    assert any("own mistake" in entry for entry in logged)
