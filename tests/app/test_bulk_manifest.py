"""The manifest of many sessions has every entry, whoever writes it last."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from feedsim.app import bulk_manifest
from feedsim.app.bulk_manifest import MANIFEST, Bulk, Entry, is_whole, open_bulk, update_manifest, write_entry
from feedsim.errors import SourceError


def place(out: Path, number: int) -> Entry:
    folder = out / f"{number:06d}"
    folder.mkdir()
    (folder / "rows").write_text("x" * number)
    return Entry.of(folder, number=number, seed=number, folder=folder.name, facts={})


def read(out: Path) -> Bulk:
    return msgspec.json.decode((out / MANIFEST).read_bytes(), type=Bulk)


def test_an_entry_that_comes_meanwhile_is_in_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process notes one and writes its manifest between this one's reading and writing."""
    bulk = open_bulk(tmp_path, 2, 0, {})
    write_entry(tmp_path, place(tmp_path, 1))
    replace, late = bulk_manifest._replace, [2]

    def replace_after_another(directory: Path, mine: Bulk) -> None:
        if late:
            write_entry(tmp_path, place(tmp_path, late.pop()))
            update_manifest(tmp_path, open_bulk(tmp_path, 2, 0, {}))
        replace(directory, mine)

    monkeypatch.setattr(bulk_manifest, "_replace", replace_after_another)
    assert update_manifest(tmp_path, bulk) == 2
    assert [entry.number for entry in read(tmp_path).entries] == [1, 2]


def test_an_entry_without_its_folder_is_not_told(tmp_path: Path) -> None:
    """A process that was killed between the two has made nothing."""
    bulk = open_bulk(tmp_path, 1, 0, {})
    write_entry(tmp_path, Entry(number=1, seed=1, folder="000001", facts={}, files={"rows": 1}))
    assert not is_whole(tmp_path, 1)
    assert update_manifest(tmp_path, bulk) == 0


def test_the_manifest_is_there_before_the_first_session(tmp_path: Path) -> None:
    """So that another process finds out whether it makes the same."""
    open_bulk(tmp_path / "new", 3, 9, {"minutes": 1})
    assert (read(tmp_path / "new").sessions, read(tmp_path / "new").made) == (3, 0)


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    """It may be all that tells of a thousand sessions: it is not overwritten."""
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(SourceError, match=r"sessions.json: damaged manifest"):
        open_bulk(tmp_path, 1, 0, {})
    assert (tmp_path / MANIFEST).read_text() == "{"
