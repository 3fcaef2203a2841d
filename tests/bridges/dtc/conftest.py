"""Servers with DTC ports on the busy recording."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from feedsim.app.service import Service
from feedsim.bridges.dtc.bridge import DtcBridge
from tests.server.talking import serving

Served = Callable[..., AbstractAsyncContextManager[Service]]


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
