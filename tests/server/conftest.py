"""Ten minutes of a small market, on which the server's tests run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.server.talking import Serve, serving
from tests.support.day import write_day


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_day(tmp_path_factory.mktemp("day"), seconds=600, seed=5)


@pytest.fixture
def serve(day: Path) -> Serve:
    """Call it with settings; the session is held until a client subscribes, unless they say otherwise."""
    return partial(serving, str(day), wait_clients=1)
