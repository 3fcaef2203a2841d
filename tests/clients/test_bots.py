"""The example bots against the real server: what they print is one market, whole, whatever they speak."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.clients.bots import (
    NODE_JSON,
    NODE_MSGPACK,
    PLAIN,
    PLAIN_JSON,
    TYPED,
    TYPED_JSON,
    finished,
    first_line,
    needs_node,
    run_bot,
    started,
)
from tests.clients.cutting import cutting
from tests.support.server import ServerFactory

COUNT = 400
CUTS = (4_000, 7_000)  # bytes: behind the greeting, before COUNT * 10 events
MARKET = ("synthetic:", "--seed", "7", "--speed", "5", "--wait-clients", "1")

WIRE_BOTS = [
    pytest.param(PLAIN, id="python"),
    pytest.param(PLAIN_JSON, id="python-json"),
    pytest.param(NODE_JSON, id="node-json", marks=needs_node),
    pytest.param(NODE_MSGPACK, id="node-msgpack", marks=needs_node),
]


def counts_by_stream(events: list[dict[str, Any]]) -> dict[tuple[Any, ...], list[int]]:
    counts: dict[tuple[Any, ...], list[int]] = {}
    for event in events:
        counts.setdefault((event["type"], event["symbol"], event.get("tf_s")), []).append(event["n"])
    return counts


@pytest.mark.parametrize("bot", WIRE_BOTS)
async def test_a_bot_prints_the_market(bot: list[str], feedsim_server: ServerFactory) -> None:
    """Quotes and trades of ES arrive in the order of `seq`, every stream without a hole."""
    run = await run_bot(bot, feedsim_server(*MARKET).url, "--count", str(COUNT))
    assert run.code == 0, run.err
    events = run.events()
    assert len(events) == COUNT
    assert {"l1", "trade"} <= {event["type"] for event in events}
    assert {event["symbol"] for event in events} == {"ES"}
    assert all(before["seq"] < after["seq"] for before, after in pairwise(events))
    for stream, counts in counts_by_stream(events).items():
        assert counts == list(range(counts[0], counts[0] + len(counts))), stream


@pytest.mark.parametrize("other", WIRE_BOTS[1:])
async def test_bots_print_the_same_until_the_server_goes_down(other: list[str], feedsim_server: ServerFactory) -> None:
    """Two bots of two encodings print equal events; on SIGTERM both are told (1001) and end with exit code 0."""
    server = feedsim_server(*MARKET)
    async with started(PLAIN, server.url) as one, started(other, server.url) as two:
        firsts = [await first_line(bot) for bot in (one, two)]
        assert await asyncio.to_thread(server.terminate) == 0, server.output
        runs = [await finished(bot, first) for bot, first in zip((one, two), firsts, strict=True)]
    assert [run.code for run in runs] == [0, 0], [run.err for run in runs]
    mine, theirs = ({event["seq"]: event for event in run.events()} for run in runs)
    both = sorted(mine.keys() & theirs.keys())
    assert both
    assert [mine[seq] for seq in both] == [theirs[seq] for seq in both]


@pytest.mark.parametrize("bot", WIRE_BOTS)
async def test_a_bot_that_is_cut_off_misses_nothing(bot: list[str], feedsim_server: ServerFactory) -> None:
    """Twice the connection breaks in the middle of a frame; what is printed is one whole feed all the same."""
    async with cutting(feedsim_server(*MARKET).port, *CUTS) as cuts:
        run = await run_bot(bot, cuts.url, "--count", str(10 * COUNT))
    assert run.code == 0, run.err
    assert cuts.done == len(CUTS)
    events = run.events()
    assert len(events) == 10 * COUNT
    for stream, counts in counts_by_stream(events).items():
        assert counts == list(range(counts[0], counts[0] + len(counts))), stream


@pytest.mark.parametrize("bot", [pytest.param(TYPED, id="msgpack"), pytest.param(TYPED_JSON, id="json")])
async def test_the_bot_on_our_client_prints_the_market(bot: list[str], feedsim_server: ServerFactory) -> None:
    """`feedsim_bot.py` prints as many events as it was asked for, quotes and trades among them, cut off or not."""
    async with cutting(feedsim_server(*MARKET).port, *CUTS) as cuts:
        run = await run_bot(bot, cuts.url, "--count", str(10 * COUNT))
    assert run.code == 0, run.err
    assert cuts.done == len(CUTS)
    words = [line.split()[0] for line in run.out.splitlines()]
    assert len(words) == 10 * COUNT
    assert {"quote", "trade"} <= set(words) <= {"quote", "trade", "bar"}
