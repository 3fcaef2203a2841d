"""A recording as a source: the contract of sources, epochs, and everything that can be wrong with its files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from feedsim.errors import SourceError
from feedsim.events import Digest
from feedsim.playback.tape import Tape
from feedsim.recording.manifest import JOURNALS, MANIFEST, Filter, read_manifest, write_manifest
from feedsim.sources.catalog import kind_of, open_source
from feedsim.sources.recording import RecordingSource, recognise
from feedsim.tap.slices import EventSlice
from feedsim.tap.writer import Writer
from feedsim.testing.sources import check_source
from tests.support.chunks import START_NS, SYMBOLS, session, told
from tests.support.recordings import copied, header, record, whole

CHUNKS = session(61, windows=4)
PLAIN = session(62, windows=4, channels=("status", "trade", "l1", "l2"))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed recording of all channels."""
    directory = tmp_path_factory.mktemp("source") / "r"
    record(directory, CHUNKS, rotate_after=[1])
    return directory


@pytest.mark.parametrize("close", [True, False])
def test_it_keeps_the_contract_of_sources(tmp_path: Path, close: bool) -> None:
    """Sealed, and as a kill left it."""
    record(tmp_path / "r", PLAIN, rotate_after=[0, 2], close=close)
    check_source(partial(RecordingSource, tmp_path / "r"))


def test_it_is_replayed_as_it_was_recorded(directory: Path) -> None:
    """The tape of a recording has its seqs, its ns, its available times, and its digest; nothing is added."""
    tape = Tape(open_source(str(directory)))
    chunks = []
    while (chunk := tape.advance(50)) is not None:
        chunks.append(chunk)
    tape.close()
    assert told(chunks) == told(CHUNKS)
    digest = Digest()
    for chunk in chunks:
        digest.update(chunk)
    assert [epoch.digest for epoch in read_manifest(directory).epochs] == [digest.hexdigest()]


def test_what_is_known_of_it_before_it_is_read(directory: Path) -> None:
    """From the manifest alone."""
    assert kind_of(directory) == "recording"
    source = RecordingSource(directory)
    info = source.info
    assert (info.kind, info.symbols, info.ordered) == ("recording", SYMBOLS, True)
    assert (info.start_ns, info.end_ns) == (int(CHUNKS[0].avail[0]), int(CHUNKS[-1].avail[-1]) + 1)
    assert (dict(info.contracts), info.notes) == ({"ES": "ESU5"}, ())
    assert info.start_ns >= START_NS
    source.close()


def test_its_identity_changes_with_its_content(directory: Path, tmp_path: Path) -> None:
    """Not with its place; that is how `verify` notices that a source is another."""
    moved = copied(directory, tmp_path / "moved")
    identity, other = dict(RecordingSource(directory).info.identity), dict(RecordingSource(moved).info.identity)
    assert identity.pop("path") != other.pop("path")
    assert identity == other
    record(tmp_path / "changed", session(63, windows=4), rotate_after=[1])
    assert RecordingSource(tmp_path / "changed").info.identity["content"] != identity["content"]


# -------------------------------------------------------------------------------------------------------------- epochs


@pytest.fixture
def epochs(tmp_path: Path) -> Path:
    """Two from their starts, and a third that was joined later."""
    third = session(66, epoch=3)
    writer = Writer(tmp_path / "epochs", header())
    writer.write([whole(chunk) for chunk in (*session(64), *session(65, epoch=2), *third[1:])])
    writer.close()
    return tmp_path / "epochs"


def test_the_last_epoch_that_is_whole_from_its_start_is_chosen(epochs: Path) -> None:
    """Unless one is named; the notes say which it is."""
    source = RecordingSource(epochs)
    assert source.epoch == 2
    assert source.info.notes == ("epoch 2 of epochs 1-3",)
    first = open_source(str(epochs), options={"epoch": "1"})
    assert isinstance(first, RecordingSource)
    assert first.epoch == 1
    late = RecordingSource(epochs, epoch=3)
    assert late.info.notes[1] == f"recorded from seq {session(66)[0].last_seq + 1} on, not from the epoch's start"
    with pytest.raises(SourceError, match=r"epochs: no epoch 4 in the recording, which has epochs 1-3"):
        RecordingSource(epochs, epoch=4)


def test_holes_filters_and_kills_are_in_the_notes(tmp_path: Path) -> None:
    """What a user should know before trusting it."""
    writer = Writer(tmp_path / "r", header(filter=Filter(channels=("l1",))))
    chunk = CHUNKS[0]
    writer.write([EventSlice(1, chunk.events(channels=frozenset(["l1"])), SYMBOLS, not_before=0)])
    writer.close_given_up([])
    manifest = read_manifest(tmp_path / "r")
    assert RecordingSource(tmp_path / "r").info.notes[-1].startswith('filtered: {"channels":["l1"]}')
    manifest.state = "open"
    write_manifest(tmp_path / "r", manifest)
    assert "a tap is writing it or was killed" in RecordingSource(tmp_path / "r").info.notes[-1]
    record(tmp_path / "h", CHUNKS[:1])
    writer = Writer(tmp_path / "h", header(), continue_=True)
    writer.close_given_up([])
    manifest = read_manifest(tmp_path / "h")
    from feedsim.recording.manifest import Hole

    manifest.holes = [Hole(epoch=1, first_seq=7, last_seq=None, reason="no space left on device")]
    write_manifest(tmp_path / "h", manifest)
    assert RecordingSource(tmp_path / "h").info.notes == ("seq 7-… is missing: no space left on device",)


# ----------------------------------------------------------------------------------------------------------- bad input


def corrupt(path: Path) -> None:
    """Other bytes in the middle."""
    data = path.read_bytes()
    path.write_bytes(data[:40] + b"\xff" * 40 + data[80:])


def truncated(path: Path) -> None:
    """The end is gone."""
    path.write_bytes(path.read_bytes()[:-10])


def read_all(directory: Path) -> None:
    """Open and read to the end."""
    source = RecordingSource(directory)
    try:
        assert source.info.end_ns is not None
        source.read(source.info.end_ns)
    finally:
        source.close()


SEGMENT = "l1/00000002.parquet"


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (corrupt, "row 1: damaged Parquet file"),
        (truncated, r"\d+ bytes, but the manifest says \d+: truncated or changed"),
        (Path.unlink, r"segment cannot be read: No such file or directory; the manifest says it has \d+ rows"),
    ],
)
def test_a_bad_segment_is_named(directory: Path, tmp_path: Path, damage: Callable[[Path], None], expected: str) -> None:
    """File, what is wrong with it, and what was expected; no event of it is told."""
    bad = copied(directory, tmp_path / "r")
    damage(bad / SEGMENT)
    with pytest.raises(SourceError, match=expected) as caught:
        read_all(bad)
    assert caught.value.file == str(bad / SEGMENT)
    assert "\n" not in str(caught.value)


def test_a_journal_of_an_open_recording_that_vanishes_is_named(tmp_path: Path) -> None:
    """A tap that sealed it while it was read."""
    record(tmp_path / "r", PLAIN, close=False)
    source = RecordingSource(tmp_path / "r")
    (tmp_path / "r" / JOURNALS / "00000001.journal").unlink()
    with pytest.raises(SourceError, match=r"00000001\.journal \(\w+\).*open the recording again"):
        source.read(1 << 62)
    source.close()


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (b"{", "damaged manifest: "),
        (b"\xff\xfe\x00", "damaged manifest: "),
        (b'{"name": "a web app"}', 'not the manifest of a recording: "format" must be "feedsim-recording"'),
        (b'{"format": "feedsim-recording", "version": 9}', "format version 9; known versions: 1"),
        (b'{"format": "feedsim-recording", "version": 1}', "damaged manifest: .*missing required field"),
    ],
)
def test_a_wrong_manifest_is_one_line(directory: Path, tmp_path: Path, manifest: bytes, expected: str) -> None:
    """Broken, somebody else's, of a later format, or with fields missing."""
    bad = copied(directory, tmp_path / "r")
    (bad / MANIFEST).write_bytes(manifest)
    assert recognise(bad)
    with pytest.raises(SourceError, match=expected) as caught:
        open_source(str(bad))
    assert caught.value.file == str(bad / MANIFEST)
    assert caught.value.exit_code == 2


def test_a_manifest_whose_rows_are_wrong_is_noticed(directory: Path, tmp_path: Path) -> None:
    """It says other rows than the file has."""
    bad = copied(directory, tmp_path / "r")
    raw = msgspec.json.decode((bad / MANIFEST).read_bytes())
    for segment in raw["segments"]:
        segment["rows"] += segment["file"] == SEGMENT
    (bad / MANIFEST).write_bytes(msgspec.json.encode(raw))
    with pytest.raises(SourceError, match=rf"{SEGMENT}: \d+ rows, but the manifest says \d+"):
        read_all(bad)


def test_a_symbol_that_the_manifest_does_not_have_is_refused(directory: Path, tmp_path: Path) -> None:
    """With the file and the row."""
    bad = copied(directory, tmp_path / "r")
    manifest = read_manifest(bad)
    manifest.symbols = ("ES",)
    write_manifest(bad, manifest)
    with pytest.raises(SourceError, match="symbol is none of ES") as caught:
        read_all(bad)
    assert caught.value.row is not None


def test_a_recording_without_events_is_one_line(tmp_path: Path) -> None:
    """Nothing can be replayed."""
    record(tmp_path / "r", [])
    with pytest.raises(SourceError, match="the recording is empty: no event was ever on disk"):
        RecordingSource(tmp_path / "r")
