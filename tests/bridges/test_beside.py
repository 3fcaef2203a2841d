"""Bridges beside the WebSocket on one session: the same events in the same order, one digest, and their metrics."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.asyncio.client import connect

from feedsim.app.service import Service
from tests.bridges.dtc.conftest import port
from tests.bridges.dtc.scripted import TcpClient
from tests.server.talking import JSON, Talk, serving


async def heard(service: Service, *, dtc: bool) -> tuple[list[Any], str | None, list[Any]]:
    """What a WebSocket client hears of the whole session, its digest, and what a DTC client hears of ES."""
    client = await TcpClient.open(port(service)) if dtc else None
    if client is not None:
        await client.log_on()
        client.send(101, RequestAction=1, SymbolID=1)
        await client.next(104)
    talk = Talk(await connect(f"ws://127.0.0.1:{service.port}", subprotocols=[JSON], max_size=None))
    await talk.send("subscribe", channels=["*"])
    events: list[Any] = []
    trades: list[Any] = []
    while (message := await talk.receive())["type"] != "replay_state":
        events += message["events"] if message["type"] == "events" else []
    wanted = sum(event["type"] == "trade" and event["symbol"] == "ES" for event in events)
    while client is not None and len(trades) < wanted:
        trades.append((await client.next(107))["Price"])
    await talk.socket.close()
    if client is not None:
        await client.close()
    return events, message["digest"], trades


def lines_of(folder: Path) -> list[dict[str, Any]]:
    (file,) = folder.glob("unified_*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_bridges_change_nothing_of_what_others_hear(busy: Path, tmp_path: Path) -> None:
    """Every event and the digest of a session with and without them; each tells what the WebSocket tells."""
    settings: dict[str, Any] = {"speed": 40.0, "minutes": 1.0}
    async with serving(str(busy), wait_clients=1, **settings) as service:
        alone = await heard(service, dtc=False)
    bridges: dict[str, Any] = {
        "sierra": str(tmp_path),
        "sierra_pace": False,
        "sierra_layout": ("unified",),
        "dtc_es": 0,
    }
    async with serving(str(busy), wait_clients=2, **settings, **bridges) as service:
        beside = await heard(service, dtc=True)
        page = await asyncio.to_thread(urlopen, f"http://127.0.0.1:{service.port}/metrics", timeout=20)
        metrics = page.read().decode()
        page.close()
    assert beside[:2] == alone[:2]
    assert alone[1] is not None
    trades = [event for event in alone[0] if event["type"] == "trade"]
    assert beside[2] == [event["price"] for event in trades if event["symbol"] == "ES"]
    lines = lines_of(tmp_path)
    assert [line["px"] for line in lines if line["type"] == "trade"] == [event["price"] for event in trades]
    assert 'feedsim_bridge_sent_total{bridge="dtc"}' in metrics
    (written,) = re.findall(r'feedsim_bridge_sent_total\{bridge="sierra"\} (\S+)', metrics)
    assert float(written) == len(lines)
