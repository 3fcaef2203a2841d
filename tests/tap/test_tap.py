"""The tap beside a running session: told at any time, durable soon, and never in the session's way."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from feedsim.errors import TapError
from feedsim.events import Chunk
from feedsim.recording.journal import JournalWriter
from feedsim.recording.manifest import JOURNALS, Filter, Hole, read_manifest
from feedsim.recording.reader import Recording, open_recording
from feedsim.tap import tap as tap_module
from feedsim.tap.tap import Tap
from feedsim.tap.verify import verify
from feedsim.tap.writer import Writer
from tests.support.chunks import cut, quotes, session, told
from tests.support.recordings import file_size_limit, header, open_files, record, remaking, told_by


@asynccontextmanager
async def running(tap: Tap) -> AsyncIterator[Tap]:
    """A tap at work; closed at the end, whatever happened."""
    work = asyncio.get_running_loop().create_task(tap.run())
    try:
        yield tap
    finally:
        await tap.close()
        await work


async def until(true: Callable[[], bool]) -> None:
    """Let others run until something holds; the test's own timeout is the bound."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 # what is waited for happens on disk
            await asyncio.sleep(0.001)


def tell(tap: Tap, chunks: list[Chunk]) -> None:
    """All of them at once."""
    for chunk in chunks:
        tap.append(chunk, 0, len(chunk))


def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Syncing waits until the returned event is set: a disk that hangs."""
    opened = threading.Event()
    real = JournalWriter.sync

    def sync(journal: JournalWriter) -> None:
        assert opened.wait(30)
        real(journal)

    monkeypatch.setattr(JournalWriter, "sync", sync)
    return opened


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more can be appended to a journal."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(JournalWriter, "_write", fail)


def missing(recording: Recording) -> list[tuple[int, int, int | None]]:
    """The holes that the manifest names."""
    return [(hole.epoch, hole.first_seq, hole.last_seq) for hole in recording.manifest.holes]


# ---------------------------------------------------------------------------------------------------- being told


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_told_is_recorded(tmp_path: Path, seed: int) -> None:
    """In slices of any size, with other tasks in between, and proven by making the session again."""
    chunks = session(seed)
    async with running(Tap(tmp_path / "r", header(), flush_s=0.001, segment_bytes=60_000)) as tap:
        for slice_ in cut(chunks, seed):
            tap.append(*slice_)
            await asyncio.sleep(0)
    assert tap.state == "sealed"
    assert (tap.durable_seq, tap.rows, tap.holes) == (chunks[-1].last_seq, chunks[-1].last_seq, 0)
    recording = open_recording(tmp_path / "r")
    assert told_by(recording) == told(chunks)
    assert verify(tmp_path / "r", remake=remaking(chunks)).proven


async def test_it_becomes_durable_without_being_asked(tmp_path: Path) -> None:
    """`flush_s` after it was told; a reader beside the tap sees it then."""
    chunks = session(1)
    async with running(Tap(tmp_path / "r", header(), flush_s=0.01)) as tap:
        for chunk in chunks:
            tell(tap, [chunk])
            assert tap.durable_seq < chunk.last_seq
            await until(lambda seq=chunk.last_seq: tap.durable_seq == seq)  # type: ignore[misc]
            found = told_by(open_recording(tmp_path / "r"))
            assert len(found) == chunk.last_seq
    assert tap.flushes >= len(chunks)


def test_it_is_never_more_than_a_second_behind() -> None:
    """As configured: what is told waits a quarter of a second at most before it is written."""
    assert tap_module.FLUSH_S <= 0.5


async def test_many_slices_of_a_chunk_are_one_write(tmp_path: Path) -> None:
    """A session that tells event by event does not cost a record batch an event."""
    chunks = quotes(1, 500)
    async with running(Tap(tmp_path / "r", header())) as tap:
        for position in range(500):
            tap.append(chunks[0], position, position + 1)
        await tap.flush()
        journal = open_recording(tmp_path / "r").journals[0]
        assert [group.last_seq for _, group in journal.groups] == [500]


async def test_the_event_loop_is_free_while_the_disk_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Being told never blocks, and nothing is durable until the disk says so."""
    opened = gate(monkeypatch)
    chunks = session(2)
    async with running(Tap(tmp_path / "r", header(), flush_s=0.0)) as tap:
        for chunk in chunks:
            tell(tap, [chunk])
            for _ in range(20):
                await asyncio.sleep(0)
        assert (tap.durable_seq, tap.state) == (0, "recording")
        opened.set()
    assert told_by(open_recording(tmp_path / "r")) == told(chunks)


async def test_a_session_without_a_clock_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At speed max memory stays bounded: `ready` returns when what was told is on its way to the disk."""
    monkeypatch.setattr(tap_module, "FULL_BYTES", 50_000)
    chunks = quotes(40, 200)
    most = 0
    async with running(Tap(tmp_path / "r", header())) as tap:
        for chunk in chunks:
            await tap.ready()
            tell(tap, [chunk])
            most = max(most, tap.pending_bytes)
    assert most < 50_000 + 2 * max(chunk.nbytes for chunk in chunks)
    assert told_by(open_recording(tmp_path / "r")) == told(chunks)


async def test_sealing_keeps_up_with_a_session_without_a_clock(tmp_path: Path) -> None:
    """However fast it is told: few journals wait, few files are open, so that closing is quick."""
    chunks = quotes(120, 200)
    before, most_open, most_journals = open_files(), 0, 0
    async with running(Tap(tmp_path / "r", header(), segment_bytes=20_000, flush_s=0.0)) as tap:
        for chunk in chunks:
            await tap.ready()
            tell(tap, [chunk])
            await tap.flush()
            most_open = max(most_open, open_files() - before)
            most_journals = max(most_journals, len(list((tmp_path / "r" / JOURNALS).glob("*.journal"))))
    assert tap.segments > 40
    assert most_journals <= tap_module.MOST_SEALING + 2
    assert most_open <= 6
    assert told_by(open_recording(tmp_path / "r")) == told(chunks)


async def test_a_session_that_never_pauses_does_not_keep_it_from_sealing(tmp_path: Path) -> None:
    """There is always something due to be written, and nobody waits for the tap: journals still become segments."""
    rows = ((chunk, position) for chunk in quotes(20, 20_000) for position in range(len(chunk)))
    async with running(Tap(tmp_path / "r", header(), segment_bytes=10_000, flush_s=0.0)) as tap:
        while not tap.segments and tap.flushes < 500:
            chunk, position = next(rows)
            tap.append(chunk, position, position + 1)
            for _ in range(10):
                await asyncio.sleep(0)
        assert tap.segments > 0


async def test_an_old_journal_is_sealed(tmp_path: Path) -> None:
    """By age, where a session is too quiet to fill one."""
    chunks = session(3)
    async with running(Tap(tmp_path / "r", header(), flush_s=0.0, segment_s=0.0)) as tap:
        for chunk in chunks[:2]:
            tell(tap, [chunk])
            await until(lambda seq=chunk.last_seq: tap.durable_seq == seq)  # type: ignore[misc]
        await until(lambda: tap.segments > 0)
        tell(tap, chunks[2:])
    assert told_by(open_recording(tmp_path / "r")) == told(chunks)


async def test_epochs_begin_when_they_are_told(tmp_path: Path) -> None:
    """`durable_seq` is of the present one; each is whole."""
    first, second = session(4), session(5, epoch=2)
    async with running(Tap(tmp_path / "r", header())) as tap:
        tell(tap, first)
        await tap.flush()
        tell(tap, second[:1])
        assert tap.durable_seq == 0
        assert tap.position == (2, second[0].last_seq)
        await tap.flush()
        assert tap.durable_seq == second[0].last_seq
        tell(tap, second[1:])
    recording = open_recording(tmp_path / "r")
    assert told_by(recording, 1) == told(first)
    assert told_by(recording, 2) == told(second)
    assert all(epoch.digest for epoch in recording.manifest.epochs)


async def test_a_session_is_joined_in_the_middle(tmp_path: Path) -> None:
    """What is recorded is right, and known not to be everything."""
    chunks = session(6)
    async with running(Tap(tmp_path / "r", header())) as tap:
        tell(tap, chunks[2:])
    recording = open_recording(tmp_path / "r")
    epoch = recording.manifest.epoch(1)
    assert epoch is not None
    assert (epoch.first_seq, epoch.complete_from_start, epoch.digest) == (chunks[2].first_seq, False, None)
    assert told_by(recording) == told(chunks[2:])
    assert verify(tmp_path / "r", remake=remaking(chunks)).proven


async def test_events_of_a_client_are_recorded_as_columns(tmp_path: Path) -> None:
    """The same rows as of the session itself, but for the available time, which the wire does not tell."""
    chunks = session(7, channels=("trade", "l1", "l2"))
    async with running(Tap(tmp_path / "r", header())) as tap:
        for chunk in chunks:
            tap.append_events(1, chunk.events())
    recording = open_recording(tmp_path / "r")
    assert [event for event, _ in told_by(recording)] == [event for event, _ in told(chunks)]
    assert verify(tmp_path / "r", remake=remaking(chunks)).proven


async def test_a_filtered_recording_has_the_digests_of_its_streams(tmp_path: Path) -> None:
    """And none of the whole; its gaps in seq are no holes."""
    chunks = session(8)
    head = header(filter=Filter(channels=("l1", "bar")))
    async with running(Tap(tmp_path / "r", head)) as tap:
        for chunk in chunks:
            tap.append_events(1, chunk.events(channels=frozenset(["l1", "bar"])))
    manifest = read_manifest(tmp_path / "r")
    assert (manifest.holes, manifest.epochs[0].digest) == ([], None)
    assert {name.partition("/")[0] for name in manifest.epochs[0].stream_digests} == {"l1", "bar"}
    assert verify(tmp_path / "r", remake=remaking(chunks)).proven


async def test_an_unknown_symbol_stops_it_with_a_reason(tmp_path: Path) -> None:
    """Data that does not fit is not taken for a failing disk, and never reaches the file."""
    chunks = session(9, channels=("l1",))
    events = chunks[0].events()
    events[-1].symbol = "CL"
    async with running(Tap(tmp_path / "r", header())) as tap:
        tap.append_events(1, events)
    assert tap.problem == "CL is not in the recording, which has ES, NQ"
    assert missing(open_recording(tmp_path / "r")) == [(1, 1, len(events))]


# ------------------------------------------------------------------------------------------------------------ trouble


@pytest.fixture
def chunks() -> list[Chunk]:
    """Four windows of all channels."""
    return session(10)


async def test_a_full_disk_stops_the_tap_and_not_the_feed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: list[Chunk]
) -> None:
    """It is told on as before, `durable_seq` stands still, and the manifest names what is missing."""
    async with running(Tap(tmp_path / "r", header(), flush_s=0.0)) as tap:
        tell(tap, chunks[:1])
        await tap.flush()
        full_disk(monkeypatch)
        tell(tap, chunks[1:2])
        await until(lambda: missing(open_recording(tmp_path / "r")) == [(1, chunks[1].first_seq, None)])
        assert (tap.state, tap.problem) == ("stopped", "no space left on device")
        tell(tap, chunks[2:])
        await tap.ready()
        assert tap.pending_bytes == 0
        assert tap.durable_seq == chunks[0].last_seq
    assert tap.state == "stopped"
    recording = open_recording(tmp_path / "r")
    assert missing(recording) == [(1, chunks[1].first_seq, chunks[-1].last_seq)]
    assert recording.manifest.holes[0].reason == "no space left on device"
    assert (recording.manifest.state, told_by(recording)) == ("sealed", told(chunks[:1]))
    assert verify(tmp_path / "r", remake=remaking(chunks)).proven


async def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """By the system's own limit on files, in the middle of a group: nothing corrupt is left."""
    windows = session(11, windows=30)
    async with running(Tap(tmp_path / "r", header(), flush_s=0.0)) as tap:
        with file_size_limit(120_000):
            for chunk in windows:
                tell(tap, [chunk])
                await tap.flush()
    assert (tap.state, tap.problem) == ("stopped", "file too large")
    recording = open_recording(tmp_path / "r")
    kept = recording.last_seq(1)
    assert 0 < kept < windows[-1].last_seq
    assert missing(recording) == [(1, kept + 1, windows[-1].last_seq)]
    assert told_by(recording) == told(windows)[:kept]
    assert verify(tmp_path / "r", remake=remaking(windows)).proven


async def test_a_disk_that_is_too_slow_leaves_a_named_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: list[Chunk]
) -> None:
    """What does not fit into bounded memory is not recorded, said at once, and recording goes on behind it."""
    opened = gate(monkeypatch)
    async with running(Tap(tmp_path / "r", header(), flush_s=0.0)) as tap:
        tap._intake._limit_bytes = 1
        tell(tap, chunks[:1])
        await until(lambda: tap._unwritten != [])
        tell(tap, chunks[1:3])
        opened.set()
        await until(lambda: tap.durable_seq == chunks[0].last_seq and tap.pending_bytes == 0)
        tell(tap, chunks[3:])
    recording = open_recording(tmp_path / "r")
    lost = (chunks[1].first_seq, chunks[2].last_seq)
    assert missing(recording) == [(1, *lost)]
    assert recording.manifest.holes[0].reason == "the disk was too slow"
    assert tap.durable_seq == chunks[0].last_seq
    assert (tap.state, tap.holes) == ("sealed", 1)
    assert told_by(recording) == told([chunks[0], chunks[3]])
    assert verify(tmp_path / "r", remake=remaking(chunks)).proven


async def test_a_hole_before_the_failure_is_named_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: list[Chunk]
) -> None:
    """Events that were never told, and then a full disk: every one of them is in a hole."""
    async with running(Tap(tmp_path / "r", header(), flush_s=60)) as tap:
        tell(tap, chunks[:1])
        await tap.flush()
        full_disk(monkeypatch)
        tell(tap, chunks[2:])
        await tap.flush()
        tell(tap, session(12, epoch=2))
    assert missing(open_recording(tmp_path / "r")) == [
        (1, chunks[1].first_seq, chunks[-1].last_seq),
        (2, 1, session(12)[-1].last_seq),
    ]


async def test_the_hole_at_an_epochs_end_is_named_when_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue holds the end of one epoch, with a hole, and the beginning of the next when writing fails."""
    first, second = session(13), session(14, epoch=2)
    async with running(Tap(tmp_path / "r", header(), flush_s=60)) as tap:
        tell(tap, first[:1])
        await tap.flush()
        full_disk(monkeypatch)
        tell(tap, first[1:2])
        limit, tap._intake._limit_bytes = tap._intake._limit_bytes, 1
        tell(tap, first[2:])
        tap._intake._limit_bytes = limit
        tell(tap, second)
        await tap.flush()
    assert missing(open_recording(tmp_path / "r")) == [
        (1, first[1].first_seq, first[-1].last_seq),
        (2, 1, second[-1].last_seq),
    ]


async def test_nothing_is_forgotten_when_a_writer_was_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: list[Chunk]
) -> None:
    """The server is told to end while the disk hangs, and then the disk fails: the hole has all of it."""
    opened = gate(monkeypatch)
    tap = Tap(tmp_path / "r", header(), flush_s=0.0)
    work = asyncio.get_running_loop().create_task(tap.run())
    tell(tap, chunks[:2])
    await until(lambda: tap._unwritten != [])
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    tell(tap, chunks[2:])
    full_disk(monkeypatch)
    monkeypatch.setattr(JournalWriter, "sync", _no_space)
    opened.set()
    await tap.close()
    recording = open_recording(tmp_path / "r")
    kept = recording.last_seq(1)
    assert told_by(recording) == told(chunks)[:kept]
    assert missing(recording) == [(1, kept + 1, chunks[-1].last_seq)]


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_cancelled_tap_can_still_be_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: list[Chunk]
) -> None:
    """SIGTERM while it writes: everything told is sealed, once."""
    opened = gate(monkeypatch)
    tap = Tap(tmp_path / "r", header(), flush_s=0.0)
    work = asyncio.get_running_loop().create_task(tap.run())
    tell(tap, chunks[:2])
    await until(lambda: tap._unwritten != [])
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    tell(tap, chunks[2:])
    opened.set()
    await tap.close()
    await tap.close()
    assert tap.state == "sealed"
    assert told_by(open_recording(tmp_path / "r")) == told(chunks)


async def test_the_manifest_is_told_later_if_it_cannot_be_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: list[Chunk]
) -> None:
    """The disk is so full that not even the last word fits: it is tried again until it does."""
    monkeypatch.setattr(tap_module, "RETRY_S", 0.001)
    failing = iter([True, True, False])
    real = Writer.set_lost

    def set_lost(writer: Writer, holes: list[Hole]) -> None:
        if next(failing, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(writer, holes)

    monkeypatch.setattr(Writer, "set_lost", set_lost)
    async with running(Tap(tmp_path / "r", header(), flush_s=0.0)) as tap:
        full_disk(monkeypatch)
        tell(tap, chunks)
        await until(lambda: missing(open_recording(tmp_path / "r")) == [(1, 1, None)])


async def test_nobody_hears_of_a_disk_that_never_worked(tmp_path: Path) -> None:
    """A folder that cannot be used is an error at the start, not later."""
    (tmp_path / "file").write_text("")
    with pytest.raises(TapError, match="not a directory"):
        Tap(tmp_path / "file", header())


# ---------------------------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize("killed", [True, False])
async def test_it_goes_on_after_a_restart(tmp_path: Path, chunks: list[Chunk], killed: bool) -> None:
    """The session is told from its start again; what is recorded already is passed over, seq goes on."""
    record(tmp_path / "r", chunks[:2], close=not killed)
    async with running(Tap(tmp_path / "r", header(session_id="another"), continue_=True)) as tap:
        assert tap.position == (1, chunks[1].last_seq)
        assert (tap.durable_seq, tap.session_id) == (chunks[1].last_seq, "session")
        for slice_ in cut(chunks, 1, most=7):
            tap.append(*slice_)
    assert tap.rows == chunks[-1].last_seq - chunks[1].last_seq
    recording = open_recording(tmp_path / "r")
    assert told_by(recording) == told(chunks)
    assert verify(tmp_path / "r", remake=remaking(chunks)).proven


async def test_what_a_restarted_session_skips_is_a_hole(tmp_path: Path, chunks: list[Chunk]) -> None:
    """It goes on further ahead than the recording ended: named, not hidden."""
    record(tmp_path / "r", chunks[:1])
    async with running(Tap(tmp_path / "r", header(), continue_=True)) as tap:
        tell(tap, chunks[2:])
        await tap.flush()
        assert tap.durable_seq == chunks[0].last_seq
    recording = open_recording(tmp_path / "r")
    assert missing(recording) == [(1, chunks[1].first_seq, chunks[1].last_seq)]
    assert recording.manifest.holes[0].reason == "not received"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No file stays open behind a test."""
    before = open_files()
    yield
    assert open_files() <= before + 2
