"""The manifest: what it keeps, and what is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from feedsim.errors import SourceError
from feedsim.recording.manifest import MANIFEST, Epoch, Filter, Hole, Manifest, Segment, read_manifest, write_manifest

SEGMENT = Segment(
    channel="l1",
    file="l1/00000002.parquet",
    generation=2,
    epoch=1,
    rows=10,
    size=1000,
    sha256="ab",
    first_seq=1,
    last_seq=20,
    first_ts=5,
    last_ts=6,
    first_avail=7,
    last_avail=8,
)


def epoch(number: int, *, last_seq: int = 20) -> Epoch:
    """Any epoch."""
    return Epoch(
        epoch=number,
        reason="start",
        first_seq=1,
        last_seq=last_seq,
        rows=last_seq,
        complete_from_start=True,
        digest="cd",
        stream_digests={"l1/ES": "ef"},
    )


def manifest() -> Manifest:
    """One with something in every field."""
    return Manifest(
        feedsim="0.1.0",
        state="open",
        created_ns=1,
        updated_ns=2,
        session_id="s",
        source={"kind": "synthetic", "seed": 7},
        config={"bar_tf_s": [1, 60]},
        contracts={"ES": "ESU5"},
        symbols=("ES", "NQ"),
        filtered=True,
        filter=Filter(channels=("l1",), tf_s=(1,)),
        epochs=[epoch(1)],
        holes=[Hole(epoch=1, first_seq=3, last_seq=None, reason="disk full")],
        segments=[SEGMENT],
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """All of it, from JSON that people can read."""
    write_manifest(tmp_path, manifest())
    assert read_manifest(tmp_path) == manifest()
    text = (tmp_path / MANIFEST).read_text()
    assert '"seed": 7' in text
    assert text.count("\n") > 20


def test_every_truncation_is_refused_in_one_line(tmp_path: Path) -> None:
    """Whatever a bad disk left of it: never a traceback, never half a manifest."""
    write_manifest(tmp_path, manifest())
    data = (tmp_path / MANIFEST).read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / MANIFEST).write_bytes(data[:length])
        with pytest.raises(SourceError, match=r"damaged manifest") as caught:
            read_manifest(tmp_path)
        assert "\n" not in str(caught.value)
        assert caught.value.file == str(tmp_path / MANIFEST)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"[]", b'{"format": 7}', b'{"format": "feedsim-recording", "version": 1}']
)
def test_damage_is_refused(tmp_path: Path, data: bytes) -> None:
    """Other bytes, other JSON, missing fields."""
    (tmp_path / MANIFEST).write_bytes(data)
    with pytest.raises(SourceError, match="damaged manifest"):
        read_manifest(tmp_path)


def test_an_unknown_version_names_the_known_ones(tmp_path: Path) -> None:
    """Also where the rest of a future manifest cannot be understood."""
    (tmp_path / MANIFEST).write_bytes(b'{"format": "feedsim-recording", "version": 2, "epochs": "elsewhere"}')
    with pytest.raises(SourceError, match="format version 2; known versions: 1"):
        read_manifest(tmp_path)


def test_another_manifest_is_refused(tmp_path: Path) -> None:
    """Many things are called manifest.json."""
    (tmp_path / MANIFEST).write_bytes(b'{"name": "web app", "version": 1}')
    with pytest.raises(SourceError, match="not the manifest of a recording"):
        read_manifest(tmp_path)


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    """Says what a recording is."""
    with pytest.raises(SourceError, match=r"a recording is a folder with a manifest\.json"):
        read_manifest(tmp_path)


def test_fields_that_are_not_known_are_passed_over(tmp_path: Path) -> None:
    """A later version may add some under the same format version."""
    raw = msgspec.json.decode(msgspec.json.encode(manifest()))
    raw["weather"] = "fair"
    raw["segments"][0]["weather"] = "fair"
    (tmp_path / MANIFEST).write_bytes(msgspec.json.encode(raw))
    assert read_manifest(tmp_path) == manifest()


def test_an_epoch_is_replaced_by_what_is_known_later() -> None:
    """And epochs stay in order."""
    found = manifest()
    found.put_epoch(epoch(3))
    found.put_epoch(epoch(2))
    found.put_epoch(epoch(1, last_seq=40))
    assert [(e.epoch, e.last_seq) for e in found.epochs] == [(1, 40), (2, 20), (3, 20)]
    later = found.epoch(2)
    assert later is not None
    assert later.epoch == 2
    assert found.epoch(4) is None
    assert found.generations == {2}


@pytest.mark.parametrize(
    ("filter", "stream", "admitted"),
    [
        (Filter(), ("l1", "ES", 0), True),
        (Filter(channels=("bar",)), ("l1", "ES", 0), False),
        (Filter(symbols=("NQ",)), ("l1", "ES", 0), False),
        (Filter(channels=("bar",), tf_s=(60,)), ("bar", "ES", 60), True),
        (Filter(tf_s=(60,)), ("bar", "ES", 1), False),
        (Filter(tf_s=(60,)), ("l1", "ES", 0), True),
    ],
)
def test_a_filter_knows_its_streams(filter: Filter, stream: tuple[str, str, int], admitted: bool) -> None:
    """By channel, symbol and, where a channel has them, length."""
    assert filter.admits(*stream) is admitted


def test_streams_are_whole_unless_cut_or_conflated() -> None:
    """Only then can their digests be compared with the session's."""
    assert Filter(channels=("l2",)).keeps_streams_whole
    assert not Filter(depth=5).keeps_streams_whole
    assert not Filter(conflate_ms=100).keeps_streams_whole
