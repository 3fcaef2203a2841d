"""Exports: what is written is read back as it was, by pandas and by feedsim."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from feedsim.errors import ConfigError
from feedsim.mia import MIA_IA_DataGenerator, Session
from feedsim.mia.export import export_session
from feedsim.mia.frames import NAMES, Frames
from feedsim.sources.seed import SeedSource


def test_one_file_a_table(data: Frames, tmp_path: Path) -> None:
    """Named after it, in a folder that is made; the paths are told. Nothing else is left in the folder."""
    folder = tmp_path / "data" / "backtest"
    paths = MIA_IA_DataGenerator.export_to_parquet(data, output_dir=str(folder))
    assert list(paths) == list(NAMES)
    assert sorted(folder.iterdir()) == sorted(paths.values())
    for name, path in paths.items():
        read = pd.read_parquet(path)
        for column in ("bid_px", "bid_sz", "ask_px", "ask_sz", "pin_levels", "call_walls", "put_walls"):
            if column in read.columns:
                read[column] = [list(row) for row in read[column]]
        if len(read):
            pd.testing.assert_frame_equal(read, data[name])


def test_it_can_be_replayed(data: Frames, tmp_path: Path) -> None:
    """Every row becomes an event with the same values."""
    MIA_IA_DataGenerator.export_to_parquet(data, tmp_path)
    tables = SeedSource(tmp_path).read(1 << 62)
    assert {name: len(tables[name]) for name in ("l1", "l2", "bar", "footprint", "truth")} == {
        "l1": len(data["l1"]),
        "l2": len(data["l2"]),
        "bar": len(data["bars"]),
        "footprint": len(data["footprint"]),
        "truth": len(data["ground_truth"]),
    }
    assert tables["l1"].array("bid").tolist() == data["l1"]["bid"].tolist()
    assert tables["l2"].ragged("ask_sz").lists() == data["l2"]["ask_sz"].tolist()


def test_an_export_replaces_an_earlier_one(data: Frames, tmp_path: Path) -> None:
    """Table by table."""
    MIA_IA_DataGenerator.export_to_parquet(data, tmp_path)
    MIA_IA_DataGenerator.export_to_parquet({"l1": data["l1"].head(3)}, tmp_path)
    assert len(pd.read_parquet(tmp_path / "l1.parquet")) == 3
    assert len(pd.read_parquet(tmp_path / "l2.parquet")) == len(data["l2"])


def test_the_same_session_is_the_same_bytes(session: Session, tmp_path: Path) -> None:
    """And the rows are counted by table."""
    rows = [export_session(session, tmp_path / name) for name in "ab"]
    assert rows[0] == rows[1]
    assert rows[0]["l2"] == 7200
    windows = session.frames()["windows"]
    assert rows[0]["windows"] == len(windows) > 0
    again = pd.read_parquet(tmp_path / "a" / "windows.parquet")
    pd.testing.assert_frame_equal(again, windows)
    assert again.attrs == windows.attrs
    assert SeedSource(tmp_path / "a").info.channels
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_what_cannot_be_written_is_refused(data: Frames, tmp_path: Path) -> None:
    """Before anything is written."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"output_dir: .*file: cannot be written"):
        MIA_IA_DataGenerator.export_to_parquet(data, tmp_path / "file")
    with pytest.raises(ConfigError, match=r"data\['l2'\]: list: expected a DataFrame"):
        MIA_IA_DataGenerator.export_to_parquet({**data, "l2": []}, tmp_path / "new")  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="expected the name of a table"):
        MIA_IA_DataGenerator.export_to_parquet({"../l1": data["l1"]}, tmp_path / "new")
    assert not (tmp_path / "new").exists()
