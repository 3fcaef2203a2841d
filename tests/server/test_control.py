"""The session's clock in a client's hands: private sessions, pause, step, seek, speed, loop, the end, the drain."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from tests.server.talking import Message, Serve, Talk, talking

MINUTE_MS = 60_000


async def private(talk: Talk, **fields: Any) -> Message:
    """Open a private session and subscribe to all of it, from the first event on."""
    welcome = await talk.ask("replay", **fields)
    assert welcome["type"] == "welcome", welcome
    await talk.ask("subscribe", from_seq=0)
    return welcome


async def until_state(talk: Talk, state: str) -> tuple[list[Message], Message]:
    """The events up to the replay_state that is told to all."""
    events: list[Message] = []
    while True:
        message = await talk.receive()
        if message["type"] == "events":
            events += message["events"]
        elif message["type"] == "replay_state" and message["state"] == state and message["id"] is None:
            return events, message


async def test_a_private_session_is_its_own(serve: Serve) -> None:
    """It has its own clock and its own control, and the live session does not notice."""
    async with serve(wait_clients=9) as service, talking(service) as talk:
        live = await talk.next("welcome")
        assert not live["controllable"]
        welcome = await private(talk, speed="max")
        assert welcome["controllable"]
        assert welcome["session_id"] != live["session_id"]
        events, ended = await until_state(talk, "ended")
        assert ended["seq"] == len(events) == events[-1]["seq"]
        assert service.sessions.live.ring.head == 0


async def test_a_part_of_the_source(serve: Serve) -> None:
    """start and end, in epoch ms, bound a private session."""
    async with serve() as service, talking(service) as talk:
        first = service.sessions.live.tape.start_ns // 10**6
        start, end = first + 2 * MINUTE_MS, first + 4 * MINUTE_MS
        await private(talk, speed="max", start=start, end=end)
        events, _ = await until_state(talk, "ended")
        times = [event["ts"] for event in events if event["type"] in ("trade", "l1")]
        assert start <= min(times) <= start + 10_000
        assert end - 10_000 <= max(times) < end


async def test_steps(serve: Serve) -> None:
    """A step pauses the clock and tells exactly the next event, or everything up to the next trade or bar."""
    async with serve(wait_clients=9) as service, talking(service) as talk:
        await talk.ask("replay", speed=0.001)
        await talk.ask("subscribe", from_seq=0)
        position = (await talk.ask("replay.pause"))["seq"]
        for unit, count in (("event", 1), ("event", 5), ("trade", 1), ("bar", 1), ("trade", 3), ("event", 2)):
            await talk.send("replay.step", id=9, count=count, unit=unit)
            events: list[Message] = []
            while (message := await talk.receive())["type"] != "replay_state":
                events += message["events"] if message["type"] == "events" else []
            assert message["state"] == "paused"
            assert message["seq"] == events[-1]["seq"]
            assert [event["seq"] for event in events] == list(range(position + 1, position + 1 + len(events)))
            position = message["seq"]
            if unit == "event":
                assert len(events) == count
            else:
                assert events[-1]["type"] == unit
                assert sum(event["type"] == unit for event in events) == count


async def test_seeking_both_ways(serve: Serve) -> None:
    """A seek opens an epoch: a status event says so, seq and n begin at 1, and the events are those of that time."""
    async with serve(wait_clients=9) as service, talking(service) as talk:
        first = service.sessions.live.tape.start_ns // 10**6
        await private(talk, speed="max")
        whole, _ = await until_state(talk, "ended")
        for epoch, minute in ((2, 7), (3, 2), (4, 0)):
            goal = first + minute * MINUTE_MS
            await talk.send("replay.seek", ts=goal)
            events, state = await until_state(talk, "ended")
            assert state["epoch"] == epoch
            assert events[0] | {"type": "status", "phase": "epoch", "reason": "seek"} == events[0]
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            assert state["digest"] is None
            ticks = [e["price"] for e in events if e["type"] == "trade"]
            assert ticks == [e["price"] for e in whole if e["type"] == "trade" and e["ts"] >= goal]
            bars = [(e["ts"], e["open"], e["close"], e["vwap"]) for e in events if e["type"] == "bar"]
            assert (
                bars == [(e["ts"], e["open"], e["close"], e["vwap"]) for e in whole if e["type"] == "bar"][-len(bars) :]
            )


async def test_seeking_out_of_the_session(serve: Serve) -> None:
    """A time that the session does not have is refused, with the times that it has."""
    async with serve(control="all") as service, talking(service) as talk:
        await talk.ask("subscribe")
        error = await talk.ask("replay.seek", ts=0)
        assert error["code"] == "bad_request"
        assert str(service.sessions.live.tape.start_ns // 10**6) in error["message"]


async def test_pause_and_resume(serve: Serve) -> None:
    """While paused nothing but heartbeats comes and the clock stands; resumed it goes on without a hole."""
    async with serve(speed=60, control="all") as service, talking(service) as talk:
        await talk.ask("subscribe", from_seq=0)
        events = await talk.events(20)
        await talk.send("replay.pause", id=1)
        while (message := await talk.receive())["type"] != "replay_state":
            events += message["events"] if message["type"] == "events" else []
        assert (message["state"], message["seq"]) == ("paused", events[-1]["seq"])
        beats = [await talk.receive(), await talk.receive()]
        assert [beat["type"] for beat in beats] == ["heartbeat"] * 2
        assert [beat["clock"] for beat in beats] == [message["clock"]] * 2
        assert (await talk.ask("replay.resume"))["state"] == "playing"
        events += await talk.events(5)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


async def test_speed(serve: Serve) -> None:
    """The speed can be changed while the session runs, up to max."""
    async with serve(speed=0.001, control="all") as service, talking(service) as talk:
        await talk.ask("subscribe")
        assert (await talk.ask("replay.speed", speed=500))["clock"]["speed"] == 500
        await talk.events(10)
        assert (await talk.ask("replay.speed", speed="max"))["clock"]["speed"] == "max"
        assert (await until_state(talk, "ended"))[1]["seq"] == service.sessions.live.ring.head


async def test_a_loop_begins_again_in_a_new_epoch(serve: Serve) -> None:
    """Every round is the same session."""
    async with serve(speed="max", loop=True) as service, talking(service) as talk:
        await talk.send("subscribe", channels=["trade"], policy="wait")
        rounds: dict[int, list[Message]] = {1: []}
        epoch = 1
        while epoch < 4:
            message = await talk.receive()
            if message["type"] == "events":
                rounds[epoch] += message["events"]
            elif message["type"] == "replay_state":
                epoch = message["epoch"]
                rounds[epoch] = []
    assert rounds[2] == rounds[3] != []
    # Later rounds have one event more: the status that opens them.
    assert rounds[2] == [{**event, "seq": event["seq"] + 1} for event in rounds[1]]


async def test_times_rebased_to_now(serve: Serve) -> None:
    """With rebase all times are shifted by the one offset that welcome names, and the session happens now."""
    async with serve(rebase="now") as service, talking(service) as talk:
        await talk.ask("subscribe", from_seq=0)
        event = (await talk.next("events"))["events"][0]
        async with talking(service) as other:
            welcome = await other.next("welcome")
        start = service.sessions.live.tape.start_ns // 10**6
        assert welcome["rebase_ms"] > 0
        assert event["ts"] == start + welcome["rebase_ms"]
        assert (await talk.ask("replay.speed", speed=2))["code"] == "not_controllable"


async def test_a_private_session_waits_for_its_owner(serve: Serve) -> None:
    """Its owner may lose the line and come back: nothing is lost. A stranger cannot guess its name."""
    async with serve(wait_clients=9) as service:
        async with talking(service) as talk:
            welcome = await private(talk, speed=300)
            got = await talk.events(10)
        async with talking(service) as talk:
            resumed = await talk.ask("resume", session_id=welcome["session_id"], epoch=1, seq=got[-1]["seq"])
            assert resumed["session_id"] == welcome["session_id"]
            await talk.send("subscribe", from_seq=got[-1]["seq"])
            more = await talk.events(10)
        assert more[0]["seq"] == got[-1]["seq"] + 1
        assert len(welcome["session_id"]) > 20


async def test_drain_closes_with_1001(serve: Serve) -> None:
    """When the server goes, every client is told by 1001."""
    async with AsyncExitStack() as clients:
        async with serve() as service:
            talks = [await clients.enter_async_context(talking(service)) for _ in range(3)]
            await talks[0].ask("subscribe")
        assert [(await talk.closed())[0] for talk in talks] == [1001] * 3


async def test_the_end_with_exit_closes_with_1000(serve: Serve) -> None:
    """With exit_at_end the clients get everything, the digest, and 1000."""
    async with AsyncExitStack() as clients:
        async with serve(speed="max", exit_at_end=True, ends=True) as service:
            talk = await clients.enter_async_context(talking(service))
            await talk.send("subscribe")
            events, state = await until_state(talk, "ended")
        assert state["digest"] == service.sessions.live.player.digest()
        assert len(events) == state["seq"]
        assert await talk.closed() == (1000, "the session is over")
