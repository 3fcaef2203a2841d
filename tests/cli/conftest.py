"""A command line to call, and a small recording to call it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calls import CommandLine
from tests.lab.made import market, tape_of
from tests.support.recordings import record
from tests.support.server import feedsim_server

__all__ = ["feedsim_server"]


@pytest.fixture
def feedsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Commands that see no settings of whoever runs the tests."""
    for name in ("FEEDSIM_TOKEN", "FEEDSIM_SOURCE", "FEEDSIM_PORT"):
        monkeypatch.delenv(name, raising=False)
    return CommandLine(capsys)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of ES and NQ, with every channel that trades and quotes give."""
    tape = tape_of(market(5, seconds=20), seconds=20, symbols=("ES", "NQ"))
    chunks = []
    while (chunk := tape.advance(512)) is not None:
        chunks.append(chunk)
    directory = tmp_path_factory.mktemp("recordings") / "made"
    record(directory, chunks)
    return directory
