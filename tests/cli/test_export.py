"""`feedsim export`: the file is there and said to be; what cannot be is one line."""

from __future__ import annotations

from pathlib import Path

from feedsim.sources.dbn.source import DbnSource
from tests.cli.calls import CommandLine


def test_a_session_becomes_a_file(tmp_path: Path, feedsim: CommandLine) -> None:
    """As many records as are said."""
    path = tmp_path / "x.dbn.zst"
    said = feedsim("export", "--minutes", "0.1", "--dbn", str(path), "--schema", "trades")
    assert said.code == 0
    source = DbnSource(path)
    assert source.info.end_ns is not None
    count = len(source.read(source.info.end_ns)["trade"])
    assert f"{count:,} records of trades" in " ".join((said.out + said.err).split())


def test_a_file_must_be_named(feedsim: CommandLine) -> None:
    """In one line, with the option's name."""
    assert "dbn: name a file" in feedsim.refused("export", "--minutes", "0.1")
