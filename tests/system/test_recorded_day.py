"""The live bot's recorded day, through the whole system: files, tape, server, clients, recording, proof."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import feedsim
from feedsim.client import Feed, FeedLost
from feedsim.events import L1, Digest, Event, Trade
from feedsim.recording.reader import open_recording
from feedsim.sources.catalog import open_source
from feedsim.wire.codec import Encoding
from tests.support.server import REPOSITORY, RunningServer, ServerFactory
from tests.support.shared_data import SIERRA, needs_sierra

pytestmark = [needs_sierra, pytest.mark.timeout(90)]

RECORDED = 6188
"""Distinct quotes and trades in the files."""
CLIENTS = 10
EVERYTHING = ("*", "truth")


@dataclass
class Witness:
    """What one client saw, and what it was told."""

    events: list[tuple[int, str]] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    digest: Digest = field(default_factory=Digest)
    told_digest: str | None = None
    durable_seq: int = 0

    def take(self, batch: list[Event]) -> None:
        self.digest.update_events(batch)
        self.events += [(event.seq, str(type(event).__struct_config__.tag)) for event in batch]
        self.ticks += [event.ts for event in batch if isinstance(event, Trade | L1)]


def connect(url: str, encoding: Encoding, *, from_seq: int | None = 0, give_up_s: float = 60) -> Feed:
    """A client that takes everything, from the first event on, as exactly as there is."""
    return feedsim.connect(
        url, channels=EVERYTHING, ts="ns", depth=20, encoding=encoding, from_seq=from_seq, give_up_s=give_up_s
    )


async def batches(feed: Feed, witness: Witness) -> AsyncIterator[int]:
    """Let a witness take what comes, up to the session's end; yields the seq that was reached."""
    async for batch in feed.batches():
        witness.take(batch)
        if feed.heartbeat is not None:
            witness.durable_seq = max(witness.durable_seq, feed.heartbeat.durable_seq or 0)
        yield feed.seq


async def watch(url: str, encoding: Encoding) -> Witness:
    witness = Witness()
    async with connect(url, encoding) as feed:
        async for _ in batches(feed, witness):
            pass
        witness.told_digest = None if feed.state is None else feed.state.digest
    return witness


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "feedsim", *map(str, arguments)], capture_output=True, text=True, env=environment
    )


async def test_ten_clients_and_the_recording_have_the_same_events(
    feedsim_server: ServerFactory, tmp_path: Path
) -> None:
    """All distinct quotes and trades reach ten clients of mixed encodings in one order; `verify` makes them again."""
    out = tmp_path / "out"
    server = feedsim_server(str(SIERRA), "--speed", "150", "--tap", str(out))
    encodings: tuple[Encoding, Encoding] = ("json", "msgpack")
    witnesses = await asyncio.gather(*[watch(server.url, encodings[index % 2]) for index in range(CLIENTS)])
    first = witnesses[0]
    assert [seq for seq, _ in first.events] == list(range(1, len(first.events) + 1))
    assert len(first.ticks) == RECORDED
    assert first.ticks == sorted(first.ticks)
    assert all(other.events == first.events for other in witnesses)
    assert {witness.digest.hexdigest() for witness in witnesses} == {first.told_digest}
    assert {witness.told_digest for witness in witnesses} == {first.told_digest}
    assert server.terminate() == 0
    proof = command("verify", out)
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert "verified" in proof.stdout
    assert str(first.told_digest)[:16] in proof.stdout
    assert proof.stdout.count("equal") == 2


async def watch_and_kill(server: RunningServer, witness: Witness) -> None:
    """Kill the server half-way, once it has said that something is durable."""
    async with connect(server.url, "msgpack", give_up_s=0.2) as feed:
        async for seq in batches(feed, witness):
            if seq > RECORDED // 2 and witness.durable_seq:
                server.kill()


async def test_what_a_client_was_told_is_durable_survives_a_kill(feedsim_server: ServerFactory, tmp_path: Path) -> None:
    """After kill -9 half-way the recording holds every event up to the last durable_seq that any client was told."""
    out = tmp_path / "out"
    server = feedsim_server(str(SIERRA), "--speed", "120", "--tap", str(out))
    witness = Witness()
    with pytest.raises(FeedLost):
        await watch_and_kill(server, witness)
    assert 0 < witness.durable_seq < RECORDED
    proof = command("verify", out, "--seal")
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert proof.stdout.count("equal") == 2
    recording = open_recording(out)
    assert recording.last_seq(1) >= witness.durable_seq
    assert recording_rows(out) == recording.last_seq(1)


def recording_rows(folder: Path) -> int:
    """Events that a recording yields when it is replayed."""
    source = open_source(str(folder))
    try:
        assert source.info.end_ns is not None
        return sum(map(len, source.read(source.info.end_ns).values()))
    finally:
        source.close()


async def test_a_restarted_server_goes_on_where_the_recording_ends(
    feedsim_server: ServerFactory, tmp_path: Path
) -> None:
    """Killed and started again with --continue-tap, the session goes on without a hole for a client that resumes."""
    out = tmp_path / "out"
    server = feedsim_server(str(SIERRA), "--speed", "120", "--tap", str(out))
    witness = Witness()
    restarted = False
    async with connect(server.url, "json") as feed:
        async for seq in batches(feed, witness):
            if seq > RECORDED // 2 and not restarted:
                restarted = True
                server.kill()
                feedsim_server(str(SIERRA), "--speed", "120", "--continue-tap", str(out), port=server.port)
        told = None if feed.state is None else feed.state.digest
        assert feed.breaks == 0
    seqs = [seq for seq, _ in witness.events]
    assert all(b == a + 1 for a, b in itertools.pairwise(seqs))
    assert len(witness.ticks) == RECORDED
    assert witness.digest.hexdigest() == told
