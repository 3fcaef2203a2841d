"""Orders over the wire: how long an acknowledgement takes against a bare echo, how many a second, and lock-step.

The echo is `websockets` alone on the same loop; client, messages in and messages out are the same for both.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import statistics
import sys
import time
from tempfile import TemporaryDirectory

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from benchmarks import processes
from benchmarks.report import Figure, against, at_least, beside
from feedsim.lab.lateness import quantile
from feedsim.playback.loop import run as run_loop
from feedsim.wire.messages import OrderCancel, OrderNew

ROUNDS = 3
PER_S, SECONDS = 40, 6.0  # orders of the round trip; each is cancelled again: a client may send 100 requests a second
CLIENTS, RATE, FLOOD_S = 100, 2000, 8.0
FAR = 4800.0  # a bid that nobody reaches, within the venue's band
LOCKSTEP_MINUTES, TRADES, LOCKSTEP_S = 390, 200, 90.0

JSON = Subprotocol("feedsim.v1.json")
encode = msgspec.json.Encoder().encode


def run() -> list[Figure]:
    return [*_round_trip(), *_flood(), *_lockstep()]


# ------------------------------------------------------------------------------------------------------- round trips


def _round_trip() -> list[Figure]:
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        echo = processes.serving([sys.executable, "-m", "benchmarks.trading", "echo"])
        with processes.feedsim("--orders-per-s", "0") as server, echo as echoing:
            found = run_loop(_times(server.port, echoing.port))
        ours += found[0]
        bare += found[1]
    rows = []
    for share, most in ((0.5, 1.5), (0.99, 2.0)):
        one, other = quantile(ours, share), quantile(bare, share)
        name = f"order to acknowledgement, p{share * 100:g}, of a bare echo's"
        rows.append(against(name, one / other, most))
        rows.append(beside("  feedsim, echo", f"{one * 1e6:.0f} µs, {other * 1e6:.0f} µs"))
    return rows


async def _times(*ports: int) -> list[list[float]]:
    """Seconds from a request's send until the frame that answers it is here, by server; each is asked in turn."""
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(
                connect(f"ws://127.0.0.1:{port}", subprotocols=[JSON], compression=None),
            )
            for port in ports
        ]
        found: list[list[float]] = [[] for _ in ports]
        for number in range(round(PER_S * SECONDS)):
            for websocket, times in zip(sockets, found, strict=True):
                times.append(await _order(websocket, number))
                await asyncio.sleep(1 / PER_S / len(ports))
        return [times[PER_S // 2 :] for times in found]


async def _order(websocket: ClientConnection, number: int) -> float:
    """Of a new order, which is cancelled again."""
    name, request = f"o{number}", 2 * number + 1
    order = OrderNew(id=request, client_order_id=name, symbol="ES", side="buy", type="limit", price=FAR, quantity=1)
    seconds = await _one(websocket, encode(order).decode(), f'"id":{request},')
    await _one(websocket, encode(OrderCancel(id=request + 1, client_order_id=name)).decode(), "")
    return seconds


async def _one(websocket: ClientConnection, text: str, answer: str) -> float:
    started = time.perf_counter()
    await websocket.send(text)
    while answer not in str(await websocket.recv()):
        pass
    return time.perf_counter() - started


async def _echo(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message)


async def _serve_echo() -> None:
    async with serve(_echo, "127.0.0.1", 0, subprotocols=[JSON], compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"ws://127.0.0.1:{port}", file=sys.stderr, flush=True)
        await server.wait_closed()


# ---------------------------------------------------------------------------------------------------- many at a time


def _flood() -> list[Figure]:
    late: dict[bool, list[float]] = {True: [], False: []}
    rates: list[float] = []
    for _ in range(ROUNDS):
        for trading in (False, True):
            with processes.feedsim("--orders-per-s", "0", "--speed", "2") as server:
                rate = run_loop(_flooded(server.port, trading=trading))
                late[trading].append(_p99_s(server.metrics()))
                rates += [rate] if trading else []
    with_, without = (statistics.median(late[trading]) for trading in (True, False))
    return [
        at_least(f"orders acknowledged a second, {CLIENTS} clients", statistics.median(rates), RATE * 0.99, digits=0),
        against(
            "  pacing p99 meanwhile, later than without", max(with_ - without, 0.0) * 1e6, 300, unit=" µs", digits=0
        ),
        beside("  with, without", f"{with_ * 1e6:.0f} µs, {without * 1e6:.0f} µs"),
    ]


async def _flooded(port: int, *, trading: bool) -> float:
    """Orders a second that were acknowledged, new ones only."""
    if not trading:
        await asyncio.sleep(FLOOD_S)
        return 0.0
    started = time.monotonic()
    acknowledged = await asyncio.gather(*(_trade(port, started + 1 + n / RATE) for n in range(CLIENTS)))
    return sum(acknowledged) / FLOOD_S


async def _trade(port: int, begin: float) -> int:
    """An order every CLIENTS / RATE seconds, each cancelled again; how many were acknowledged in time."""
    async with connect(f"ws://127.0.0.1:{port}", compression=None) as websocket:
        acknowledged, end = 0, begin + FLOOD_S

        async def count() -> None:
            nonlocal acknowledged
            async for message in websocket:
                if time.monotonic() > end + 0.5:
                    return
                acknowledged += str(message).count('"state":"new"')

        counting = asyncio.get_running_loop().create_task(count())
        for number in range(round(FLOOD_S * RATE / CLIENTS)):
            await asyncio.sleep(max(begin + number * CLIENTS / RATE - time.monotonic(), 0))
            name = f"o{number}"
            order = OrderNew(client_order_id=name, symbol="ES", side="buy", type="limit", price=FAR, quantity=1)
            await websocket.send(encode(order).decode())
            await websocket.send(encode(OrderCancel(client_order_id=name)).decode())
        await asyncio.sleep(max(end + 0.6 - time.monotonic(), 0))
        counting.cancel()
        return acknowledged


def _p99_s(metrics: dict[str, float]) -> float:
    """The 99th percentile of how late wake-ups were, between the bounds of the histogram's buckets."""
    found = [(name, value) for name, value in metrics.items() if name.startswith("feedsim_pacing_error_seconds_bucket")]
    buckets = sorted((math.inf if '"+Inf"' in name else float(name.split('"')[1]), value) for name, value in found)
    wanted, below, count = 0.99 * buckets[-1][1], 0.0, 0.0
    for bound, total in buckets:
        if total >= wanted:
            share = (wanted - count) / (total - count) if total > count else 1.0
            return below + share * ((below * 2 if math.isinf(bound) else bound) - below)
        below, count = bound, total
    return below


# --------------------------------------------------------------------------------------------------------- lock-step


def _lockstep() -> list[Figure]:
    with TemporaryDirectory() as folder:
        runs = [_session(f"{folder}/{number}") for number in range(2)]
    (seconds, trades, log), (_, _, again) = runs
    return [
        against(
            f"lock-step, {LOCKSTEP_MINUTES / 60:g} h in steps of 100 ms, {trades} trades",
            seconds,
            LOCKSTEP_S,
            unit=" s",
        ),
        beside("  a second run's fills", "the same" if log == again else "DIFFERENT"),
    ]


def _session(folder: str) -> tuple[float, int, list[str]]:
    """Seconds, trades and fills of a session in which a bot trades now and then."""
    arguments = ("--lockstep", "--minutes", str(LOCKSTEP_MINUTES), "--exit-at-end", "--tap", folder)
    with processes.feedsim(*arguments) as server:
        started = time.monotonic()
        fills = run_loop(_bot(server.port))
        return time.monotonic() - started, len(fills), fills


async def _bot(port: int) -> list[str]:
    import feedsim
    from feedsim.events import Bar
    from feedsim.wire.messages import FillEvent

    fills: list[str] = []
    bars, every = 0, LOCKSTEP_MINUTES * 60 // TRADES
    async with feedsim.connect(f"ws://127.0.0.1:{port}", channels=["bar", "l1"], symbols=["ES"], tf_s=[1]) as feed:
        async for event in feed.everything():
            if isinstance(event, Bar):
                bars += 1
                if bars % every == every // 2:
                    await (feed.buy if bars // every % 2 else feed.sell)("ES", 1)
            elif isinstance(event, FillEvent):
                fills.append(str(event))
    return fills


if __name__ == "__main__":
    run_loop(_serve_echo())
