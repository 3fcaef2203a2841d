"""A recording of two busy minutes of ES and NQ, and servers with DTC ports on it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from feedsim.app.service import Service
from feedsim.bridges.dtc.bridge import DtcBridge
from feedsim.events import Chunk
from feedsim.playback.tape import Tape
from tests.hub.lines import CONFIG
from tests.server.talking import serving
from tests.support.memory_source import small_session
from tests.support.recordings import record

BUSY = partial(small_session, seconds=120, rate=60)

Served = Callable[..., AbstractAsyncContextManager[Service]]


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


@pytest.fixture
def served(busy: Path) -> Served:
    """Call it with settings; the session begins with the first client that logs on."""

    def serve(**settings: Any) -> AbstractAsyncContextManager[Service]:
        return serving(str(busy), **{"dtc_es": 0, "dtc_nq": 0, "wait_clients": 1, "speed": 20.0, **settings})

    return serve


def dtc(service: Service) -> DtcBridge:
    (bridge,) = (bridge for bridge in service.bridges if isinstance(bridge, DtcBridge))
    return bridge


def port(service: Service, symbol: str = "ES") -> int:
    return dtc(service).ports[symbol]
