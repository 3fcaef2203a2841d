"""What the bridges' tests share: a recording of two busy minutes of ES and NQ."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.events import Chunk
from feedsim.playback.tape import Tape
from tests.bridges.busy import BUSY
from tests.hub.lines import CONFIG
from tests.support.recordings import record


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tape = Tape(BUSY(), CONFIG)
    for _ in tape.roll_to(tape.start_ns):
        pass
    chunks: list[Chunk] = []
    while (chunk := tape.advance(1000)) is not None:
        chunks.append(chunk)
    folder = tmp_path_factory.mktemp("busy") / "recording"
    record(folder, chunks)
    return folder
