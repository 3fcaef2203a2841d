"""The bots that speak the wire themselves notice what is missing: a scripted server tells them all kinds of feeds."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgpack
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.clients.bots import CLIENTS, NODE, NODE_JSON, NODE_MSGPACK, PLAIN, PLAIN_JSON, needs_node, run_bot

Message = dict[str, Any]

BOTS = [
    pytest.param(PLAIN, id="python"),
    pytest.param(PLAIN_JSON, id="python-json"),
    pytest.param(NODE_JSON, id="node-json", marks=needs_node),
    pytest.param(NODE_MSGPACK, id="node-msgpack", marks=needs_node),
]


def trade(n: int) -> Message:
    return {"type": "trade", "seq": n, "n": n, "ts": 0, "symbol": "ES", "price": 5000.0, "size": 1, "side": 1}


def bar(n: int, tf_s: int) -> Message:
    return {"type": "bar", "seq": n, "n": n, "ts": 0, "symbol": "ES", "tf_s": tf_s, "close": 5000.0}


def welcome(*, id: int | None = None, epoch: int = 1) -> Message:
    return {"type": "welcome", "id": id, "session_id": "live-1", "epoch": epoch}


def epoch(number: int, state: str = "playing") -> Message:
    return {"type": "replay_state", "id": None, "state": state, "epoch": number, "seq": 0}


def refusal(code: str, message: str, *, id: int) -> Message:
    return {"type": "error", "id": id, "code": code, "message": message}


def events(*told: Message) -> Message:
    return {"type": "events", "sent": 0, "events": list(told)}


def snapshot(*told: Message) -> Message:
    return {"type": "snapshot", "epoch": 1, "seq": 0, "events": list(told)}


HEARTBEAT: Message = {"type": "heartbeat", "seq": 0, "durable_seq": None, "clock": {}, "sent": 0}
SKIPPED: Message = {"type": "skipped", "stream": ["trade", "ES"], "first_n": 3, "last_n": 5, "reason": "slow_consumer"}


HEAR: Message = {}
"""In a script: wait for what the client says next."""


@asynccontextmanager
async def visited(*visits: list[Message], asked: list[Message], code: int = 1000) -> AsyncIterator[str]:
    """A server with a script for each connection. The last is closed with `code`, the others are cut without a word.

    What the clients say is kept in `asked`.
    """
    scripts = iter(visits)

    async def tell(connection: ServerConnection) -> None:
        binary = connection.subprotocol == "feedsim.v1.msgpack"
        script = next(scripts)
        for message in script:
            if message is HEAR:
                try:
                    request = await connection.recv()
                except ConnectionClosed:
                    return
                asked.append(msgpack.unpackb(request) if binary else json.loads(request))
            else:
                await connection.send(msgpack.packb(message) if binary else json.dumps(message))
        if script is visits[-1]:
            await connection.close(code)
        else:
            connection.transport.close()

    spoken = [Subprotocol("feedsim.v1.json"), Subprotocol("feedsim.v1.msgpack")]
    async with serve(tell, "127.0.0.1", 0, subprotocols=spoken) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def scripted(script: list[Message], asked: list[Message], code: int = 1000) -> AbstractAsyncContextManager[str]:
    """A server that welcomes one client, hears what it wants, and tells it the script."""
    return visited([welcome(), HEAR, *script], asked=asked, code=code)


@pytest.mark.parametrize("bot", BOTS)
async def test_a_whole_feed_is_printed_and_ends_well(bot: list[str]) -> None:
    """Every event is printed as it came, other messages are not, and the server's end is the bot's."""
    told = [trade(7), trade(8), bar(3, 1), bar(1, 60), trade(9)]
    asked: list[Message] = []
    async with scripted([HEARTBEAT, events(*told[:2]), HEARTBEAT, events(*told[2:])], asked) as url:
        run = await run_bot(bot, url)
    assert (run.code, run.events()) == (0, told), run.err
    assert asked[0]["op"] == "subscribe"
    assert {"l1", "trade", "bar"} <= set(asked[0]["channels"])
    assert asked[0]["symbols"] == ["ES"]


@pytest.mark.parametrize("bot", BOTS)
@pytest.mark.parametrize(
    "script",
    [
        pytest.param([events(trade(1), trade(3))], id="within a frame"),
        pytest.param([events(trade(1)), events(trade(4))], id="between frames"),
        pytest.param([snapshot(trade(1)), events(trade(3))], id="after the snapshot"),
        pytest.param([events(bar(1, 1), bar(1, 60), bar(2, 1), bar(3, 60))], id="in the bars of one length"),
        pytest.param([events(trade(2)), SKIPPED, events(trade(7))], id="after what was skipped"),
        pytest.param([events(trade(1), trade(2)), epoch(2), events(trade(1), trade(3))], id="in a new epoch"),
    ],
)
async def test_an_event_that_is_missing_is_noticed(bot: list[str], script: list[Message]) -> None:
    """A hole in any stream ends the bot with exit code 1 and a word about it."""
    async with scripted(script, []) as url:
        run = await run_bot(bot, url)
    assert run.code == 1
    assert "missing" in run.err


@pytest.mark.parametrize("bot", BOTS)
@pytest.mark.parametrize(
    "script",
    [
        pytest.param([events(trade(2)), SKIPPED, events(trade(6))], id="skipped and named"),
        pytest.param([events(trade(2)), SKIPPED, snapshot(trade(5)), events(trade(6))], id="snapshot after skipped"),
        pytest.param([events(trade(8)), epoch(2), events(trade(1))], id="a new epoch"),
        pytest.param([events(trade(8)), epoch(1), events(trade(9))], id="the state of this epoch"),
        pytest.param([snapshot(bar(4, 1), bar(2, 60)), events(bar(5, 1), bar(3, 60))], id="bars of two lengths"),
    ],
)
async def test_what_is_no_hole_is_not_taken_for_one(bot: list[str], script: list[Message]) -> None:
    """Skipped records, snapshots and new epochs move the count, and the feed is whole."""
    async with scripted(script, []) as url:
        run = await run_bot(bot, url)
    assert run.code == 0, run.err


@pytest.mark.parametrize("bot", BOTS)
async def test_count_stops_the_bot(bot: list[str]) -> None:
    """With --count N it leaves after N events, in the middle of a frame too."""
    told = [trade(n) for n in range(1, 10)]
    async with scripted([events(*told)], []) as url:
        run = await run_bot(bot, url, "--count", "4")
    assert (run.code, run.events()) == (0, told[:4]), run.err


@pytest.mark.parametrize("bot", BOTS)
async def test_an_error_of_the_server_is_told(bot: list[str]) -> None:
    """A refused request ends the bot with the server's code and words."""
    async with scripted([refusal("unknown_symbol", "there are: NQ", id=2)], []) as url:
        run = await run_bot(bot, url)
    assert run.code == 1
    assert run.err.strip() == "unknown_symbol: there are: NQ"


@pytest.mark.parametrize("bot", BOTS)
async def test_nobody_there_is_one_line(bot: list[str], unused_tcp_port: int) -> None:
    """A refused connection is one line and exit code 1, not a traceback."""
    run = await run_bot(bot, f"ws://127.0.0.1:{unused_tcp_port}")
    assert run.code == 1
    assert len(run.err.splitlines()) == 1


@pytest.mark.parametrize("bot", BOTS)
async def test_a_close_that_is_no_end_is_a_failure(bot: list[str]) -> None:
    """1008 (policy) is told and ends the bot with exit code 1."""
    async with scripted([events(trade(1))], [], code=1008) as url:
        run = await run_bot(bot, url)
    assert run.code == 1
    assert "1008" in run.err


@pytest.mark.parametrize("bot", BOTS)
async def test_the_end_of_the_session_ends_the_bot(bot: list[str]) -> None:
    """The server stays up behind the end; whoever has heard of it leaves."""
    forever = HEAR
    async with scripted([events(trade(1)), epoch(1, "ended"), forever], []) as url:
        run = await run_bot(bot, url)
    assert (run.code, run.events()) == (0, [trade(1)]), run.err


@pytest.mark.parametrize("bot", BOTS)
async def test_a_lost_connection_is_resumed(bot: list[str]) -> None:
    """Cut off in the middle, it goes back to its session and asks for what follows the last event that it had."""
    first = [welcome(), HEAR, epoch(3), events(trade(1), trade(2))]
    again = [welcome(), HEAR, welcome(id=1, epoch=3), HEAR, events(trade(3))]
    asked: list[Message] = []
    async with visited(first, again, asked=asked) as url:
        run = await run_bot(bot, url)
    assert (run.code, run.events()) == (0, [trade(1), trade(2), trade(3)]), run.err
    subscribe, resume, subscribe_again = asked
    assert resume == {"op": "resume", "id": 1, "session_id": "live-1", "epoch": 3, "seq": 2}
    assert subscribe_again == {**subscribe, "from_seq": 2}


@pytest.mark.parametrize("bot", BOTS)
async def test_what_was_missed_while_away_is_noticed(bot: list[str]) -> None:
    """A resume promises that nothing is lost: a hole behind it is a hole."""
    first = [welcome(), HEAR, events(trade(1), trade(2))]
    again = [welcome(), HEAR, welcome(id=1), HEAR, events(trade(4))]
    async with visited(first, again, asked=[]) as url:
        run = await run_bot(bot, url)
    assert run.code == 1
    assert "missing" in run.err


@pytest.mark.parametrize("bot", BOTS)
async def test_a_place_that_is_gone_is_given_up(bot: list[str]) -> None:
    """After resume_too_old it says so, and takes what there is from now on."""
    first = [welcome(), HEAR, events(trade(1), trade(2))]
    gone = refusal("resume_too_old", "epoch 1 is over", id=1)
    again = [welcome(epoch=2), HEAR, gone, HEAR, snapshot(trade(8)), events(trade(9))]
    asked: list[Message] = []
    async with visited(first, again, asked=asked) as url:
        run = await run_bot(bot, url)
    assert (run.code, run.events()) == (0, [trade(1), trade(2), trade(9)]), run.err
    assert "epoch 1 is over" in run.err
    assert asked[-1].get("from_seq") is None


@pytest.mark.parametrize("bot", BOTS)
async def test_a_connection_that_stays_lost_is_a_failure(bot: list[str]) -> None:
    """When it may not try again, a feed that was cut off is not taken for one that is over."""
    async with visited([welcome(), HEAR, events(trade(1))], [], asked=[]) as url:
        run = await run_bot(bot, url, "--retries", "0")
    assert run.code == 1
    assert run.events() == [trade(1)]
    assert len(run.err.splitlines()) == 1


def test_the_plain_bot_uses_nothing_of_ours() -> None:
    """Its imports are the standard library, websockets and msgpack."""
    tree = ast.parse((CLIENTS / "python" / "plain_bot.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert foreign == {"websockets", "msgpack"}


def test_the_lock_file_names_no_registry() -> None:
    """`npm ci` takes packages from whichever registry npm is set up for."""
    lock = json.loads((NODE / "package-lock.json").read_text())
    packages = lock["packages"]
    assert {"node_modules/ws", "node_modules/@msgpack/msgpack"} <= set(packages)
    assert all("resolved" not in package for package in packages.values())
    assert "://" not in json.dumps(packages)
