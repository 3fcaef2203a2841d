"""Subscribing: snapshots, filters, history, resuming, encodings."""

from __future__ import annotations

import asyncio
from typing import Any

from feedsim.app.opening import open_tape
from feedsim.app.service import Service
from tests.server.talking import MSGPACK, Message, Serve, Talk, talking


async def rest(talk: Talk) -> list[Message]:
    """All events up to the session's end."""
    events: list[Message] = []
    while (message := await talk.receive())["type"] != "replay_state":
        events += message["events"] if message["type"] == "events" else []
    return events


def tape_of(service: Service) -> list[Any]:
    """Every event of the session, as Structs with times in ms."""
    tape = open_tape(service.settings)
    events: list[Any] = []
    while (chunk := tape.advance(500)) is not None:
        events += chunk.events(0, len(chunk), scale=1_000_000)
    tape.close()
    return events


async def test_everything_in_both_encodings(serve: Serve) -> None:
    """A JSON and a MessagePack client get the same dicts, with a dense seq from 1: the tape."""
    async with serve(speed="max", wait_clients=2) as service:
        async with talking(service) as text, talking(service, subprotocols=[MSGPACK]) as packed:
            await text.send("subscribe", channels=["*"], depth=20)
            await packed.send("subscribe", channels=["*"], depth=20)
            told = await asyncio.gather(rest(text), rest(packed))
        assert told[0] == told[1]
        assert [event["seq"] for event in told[0]] == list(range(1, len(tape_of(service)) + 1))


async def test_a_filter_does_not_change_positions(serve: Serve) -> None:
    """Filtered events keep the seq and n that they have on the tape; n is dense, truth is never in a *."""
    async with serve(speed="max") as service, talking(service) as talk:
        subscribed = await talk.ask("subscribe", channels=["trade", "l2"], symbols=["ES"], depth=3)
        assert subscribed["streams"] == [["l2", "ES"], ["trade", "ES"]]
        events = await rest(talk)
        tape = {event.seq: event for event in tape_of(service)}
    for channel in ("trade", "l2"):
        assert [e["n"] for e in events if e["type"] == channel] == [
            event.n for event in tape.values() if type(event).__struct_config__.tag == channel
        ]
    for event in events:
        assert (event["n"], event["ts"]) == (tape[event["seq"]].n, tape[event["seq"]].ts)
    assert {len(event["bid_px"]) for event in events if event["type"] == "l2"} == {3}


async def test_a_late_client_gets_a_snapshot_then_what_follows(serve: Serve) -> None:
    """The snapshot has the newest event of each stream with a state, never a trade, and live goes on behind its seq."""
    async with serve(speed=600) as service, talking(service) as early:
        await early.ask("subscribe", channels=["*"])
        seen = await early.events(100)
        async with talking(service) as late:
            await late.send("subscribe", id=1)
            at = (await late.next("subscribed"))["seq"]
            snapshot = await late.next("snapshot")
            follows = (await late.events(1))[0]
        seen += await early.events(snapshot["seq"])
    newest: dict[str, Message] = {}
    for event in seen:
        if event["seq"] <= snapshot["seq"] and event["type"] in ("status", "bar", "profile", "l1", "l2"):
            newest[event["type"]] = event
    assert snapshot["seq"] == at
    assert snapshot["events"] == sorted(newest.values(), key=lambda event: event["seq"])
    assert follows["seq"] == snapshot["seq"] + 1


async def test_resume_from_the_ring_and_from_before_it(serve: Serve) -> None:
    """Everything can be told again from any seq on: what the ring dropped is read from the source."""
    async with serve(speed="max", ring_mib=0.0625) as service:
        async with talking(service) as talk:
            await talk.send("subscribe")
            everything = await rest(talk)
        live = service.sessions.live
        assert live.ring.first_seq > 100
        for from_seq in (0, live.ring.first_seq // 2, live.ring.first_seq - 1, live.ring.head - 5, live.ring.head):
            async with talking(service) as talk:
                welcome = await talk.next("welcome")
                await talk.ask("resume", session_id=welcome["session_id"], epoch=1, seq=from_seq)
                await talk.send("subscribe", from_seq=from_seq)
                assert await rest(talk) == everything[from_seq:]


async def test_an_old_epoch_cannot_be_resumed(serve: Serve) -> None:
    """A client that comes back to an epoch that is over is told which one it is."""
    async with serve(control="all") as service, talking(service) as talk:
        welcome = await talk.next("welcome")
        await talk.ask("subscribe", channels=["trade"])
        await talk.ask("replay.seek", ts=service.sessions.live.tape.start_ns // 10**6 + 300_000)
        error = await talk.ask("resume", session_id=welcome["session_id"], epoch=1, seq=0)
        assert error["code"] == "resume_too_old"
        assert "epoch 2" in error["message"]


async def test_history_is_what_was_before_now(serve: Serve) -> None:
    """History gives the last bars, oldest first, and nothing that has not been told."""
    async with serve(speed="max") as service, talking(service) as talk:
        assert (await talk.ask("history", channel="bar", symbol="ES"))["events"] == []
        await talk.send("subscribe", channels=["bar"])
        bars = await rest(talk)
        assert len(bars) >= 10
        answer = await talk.ask("history", channel="bar", symbol="ES", tf_s=60, count=4)
        assert answer["events"] == bars[-4:]


async def test_history_before_the_start(serve: Serve) -> None:
    """A session that starts in the middle has the past of its source as history, so that a bot can warm up."""
    async with serve(start="09:35") as service, talking(service) as talk:
        await talk.send("subscribe", channels=["trade"])
        await talk.events(1)
        answer = await talk.ask("history", channel="bar", symbol="ES", tf_s=60, count=100)
    start_ms = service.sessions.live.tape.start_ns // 10**6
    assert [bar["ts"] for bar in answer["events"]] == [start_ms - 60_000 * left for left in range(5, 0, -1)]


async def test_unsubscribing(serve: Serve) -> None:
    """What is left after unsubscribe is told, and only that is sent."""
    async with serve(speed=600) as service, talking(service) as talk:
        await talk.ask("subscribe", channels=["trade", "l1"])
        await talk.events(20)
        left = await talk.ask("unsubscribe", channels=["l1"])
        assert left["streams"] == [["trade", "ES"]]
        assert {event["type"] for event in await talk.events(30)} == {"trade"}


async def test_one_event_a_frame(serve: Serve) -> None:
    """With batch false every frame has one event."""
    async with serve(speed="max") as service, talking(service) as talk:
        await talk.send("subscribe", channels=["l1"], batch=False)
        for _ in range(50):
            assert len((await talk.next("events"))["events"]) == 1


async def test_units_of_time(serve: Serve) -> None:
    """The same event in ms, us and ns: all times are scaled, none is made up."""
    async with (
        serve(speed="max", wait_clients=3) as service,
        talking(service) as ms,
        talking(service) as us,
        talking(service) as ns,
    ):
        for talk, unit in ((ms, "ms"), (us, "us"), (ns, "ns")):
            await talk.send("subscribe", channels=["l1", "bar"], ts=unit)
        told = await asyncio.gather(rest(ms), rest(us), rest(ns))
    for in_ms, in_us, in_ns in zip(*told, strict=True):
        assert (in_ms["ts"], in_us["ts"]) == (in_ns["ts"] // 10**6, in_ns["ts"] // 10**3)


async def test_conflation_keeps_the_newest_quote_and_every_trade(serve: Serve) -> None:
    """With conflate_ms a quote that a later one replaces is left out; trades are all told, in order."""
    async with serve(speed="max", wait_clients=2) as service, talking(service) as whole, talking(service) as conflated:
        await whole.send("subscribe", channels=["l1", "trade"])
        await conflated.send("subscribe", channels=["l1", "trade"], conflate_ms=50)
        told = await asyncio.gather(rest(whole), rest(conflated))
    trades = [[event for event in events if event["type"] == "trade"] for events in told]
    assert trades[0] == trades[1]
    quotes = [[event for event in events if event["type"] == "l1"] for events in told]
    assert 0 < len(quotes[1]) < len(quotes[0])
    assert quotes[1][-1] == quotes[0][-1]
    seqs = [event["seq"] for event in told[1]]
    assert seqs == sorted(seqs)
