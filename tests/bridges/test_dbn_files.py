"""The session as DBN files: each is what an export of the same session is; a full disk is not the feed's trouble."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from feedsim.bridges.dbn_files import DbnFiles
from feedsim.dbn.listing import listing_of
from feedsim.dbn.writing import DbnWriter
from feedsim.errors import ConfigError
from feedsim.playback.tape import Tape
from tests.bridges.databento.sources import source
from tests.hub.lines import CONFIG, UNPACED, Hub
from tests.sources.dbn.files import stored

MANY = partial(source, 30, 100.0)


def exported(folder: Path, schema: str) -> Path:
    """The same session by one plain reading."""
    tape = Tape(MANY(), CONFIG)
    listing = listing_of(tape.symbols, tape.info.contracts, tape.start_ns, tape.source)
    path = folder / f"{schema}.dbn"
    writer = DbnWriter(path, schema, listing, start_ns=tape.start_ns, end_ns=tape.end_ns)
    while (chunk := tape.advance(777)) is not None:
        writer.add(chunk)
    writer.close()
    return path


@pytest.mark.parametrize("speed", [UNPACED, 200.0])
async def test_files_hold_what_an_export_holds(tmp_path: Path, speed: float) -> None:
    """Of every schema that the session has, byte by byte, however it was told."""
    hub = Hub(MANY, speed=speed, exit_at_end=True)
    files = DbnFiles(hub.session, tmp_path / "out")
    await files.start()
    await hub.task
    await files.close("over")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    schemas = ["definition", "mbo", "mbp-1", "mbp-10", "ohlcv-1s", "status", "trades"]
    assert names == [f"{schema}.dbn.zst" for schema in schemas]
    total = 0
    for schema in schemas:
        written = stored(tmp_path / "out" / f"{schema}.dbn.zst").to_ndarray()
        assert written.tobytes() == stored(exported(tmp_path, schema)).to_ndarray().tobytes()
        total += len(written) if schema != "definition" else 0
    assert files.counts.sent == total > 6000


async def _ended(hub: Hub) -> None:
    while hub.session.player.state != "ended":  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_an_epoch_has_files_of_its_own(tmp_path: Path) -> None:
    """After a seek; the first ones end where the session left."""
    hub = Hub(MANY, speed=UNPACED)
    files = DbnFiles(hub.session, tmp_path / "out")
    await files.start()
    await _ended(hub)
    hub.session.player.seek(hub.session.tape.start_ns + 20 * 10**9)
    await asyncio.sleep(0)
    await hub.session.settled()
    await _ended(hub)
    await files.close("over")
    await hub.stop()
    first, second = (stored(tmp_path / "out" / f"trades{end}.dbn.zst").to_ndarray() for end in ("", "-epoch2"))
    assert len(first) == 3000
    assert second["ts_event"].tolist() == first["ts_event"][first["ts_event"] >= second["ts_event"][0]].tolist()
    assert 500 < len(second) < 1500


async def test_a_disk_that_fails_ends_the_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session goes on to its end, and no file pretends to be whole."""
    hub = Hub(MANY, speed=UNPACED, exit_at_end=True)
    files = DbnFiles(hub.session, tmp_path / "out")
    await files.start()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DbnWriter, "add", full)
    await hub.task
    await files.close("over")
    assert hub.session.player.state == "ended"
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".part"}


async def test_a_folder_that_is_there_is_refused(tmp_path: Path) -> None:
    """Nothing is written over."""
    hub = Hub(MANY, speed=UNPACED, exit_at_end=True)
    with pytest.raises(ConfigError, match="File exists"):
        await DbnFiles(hub.session, tmp_path).start()
    await hub.task
