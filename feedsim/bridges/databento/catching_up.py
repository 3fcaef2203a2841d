"""Clients that are behind: told what they missed from the ring or the tape, or exactly how much they lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from feedsim.bridges.base import BridgeCounts
from feedsim.bridges.databento.audience import Audience
from feedsim.bridges.databento.client import Client, ReplayWanted
from feedsim.bridges.databento.tellings import Tellings, Wanted
from feedsim.dbn.layout import REPLAY_COMPLETED, SKIPPED_RECORDS, SLOW_READER_WARNING
from feedsim.dbn.messages import error, system
from feedsim.hub.ring import Ring
from feedsim.hub.tasks import Tasks

WARN_EVERY_S = 5.0

log = structlog.get_logger()


class CatchingUp:
    """Brings clients to the head, each in a task of its own, as fast as it reads."""

    def __init__(
        self,
        ring: Ring,
        tellings: Tellings,
        *,
        now_ns: Callable[[], int],
        wall_ns: Callable[[], int],
        counts: BridgeCounts,
        settle: Callable[[Client], None],
        may_skip: Callable[[Client], bool],
    ) -> None:
        """`settle` gets a client that is at the head again."""
        self._ring = ring
        self._tellings = tellings
        self._now_ns, self._wall_ns = now_ns, wall_ns
        self._counts = counts
        self._settle, self._may_skip = settle, may_skip
        self._tasks = Tasks("feedsim databento catch up")

    def bring_on(self, client: Client) -> None:
        """Until it is at the head, nobody else writes data to it."""
        if not client.catching_up:
            client.catching_up = True
            self._tasks.start(self._bring_on(client))

    async def settled(self) -> None:
        """Return when nobody is behind."""
        await self._tasks.settled()

    async def stop(self) -> None:
        await self._tasks.stop()

    async def _bring_on(self, client: Client) -> None:
        try:
            while not client.closed and (client.replays or client.seq < self._ring.head):
                await client.drain()
                if client.replays:
                    await self._replay(client, client.replays.pop(0))
                elif client.slow and self._may_skip(client):
                    await self._skip(client)
                else:
                    await self._tell_all(client, self._ring.head)
                await asyncio.sleep(0)
        except ConnectionError:
            return
        except Exception:
            log.exception("databento client failed")
            client.reset()
        finally:
            client.catching_up = client.slow = False
        if not client.closed:
            self._settle(client)

    async def _replay(self, client: Client, replay: ReplayWanted) -> None:
        """What was before the live stream; a new epoch has nothing of it."""
        start_ns = min(replay.since.values()) - self._ring.shift_ns
        after = self._tellings.place(start_ns)
        await self._tell(client, replay.wanted, after, replay.until, replay.since)
        for schema, _ in replay.wanted.schemas:
            message = f"Finished {schema} replay"
            client.write_records(system(REPLAY_COMPLETED, message, ts_ns=self._now_ns()))

    async def _skip(self, client: Client) -> None:
        """Leave out what may be missed up to the head, tell the rest, and say how many records were left out."""
        audience = client.audience
        assert audience is not None
        target, total, everything = self._ring.head, audience.total, audience.all
        if audience.kept.schemas and not await self._tell(client, audience.kept, client.seq, target, {}):
            return
        count = total - client.total
        client.seq, client.total, client.all, client.slow = target, total, everything, False
        if count:
            self.tell_lost(client, count, "this session was reading too slowly")

    def tell_lost(self, client: Client, count: int, why: str) -> None:
        """So many records will not come."""
        self._counts.skipped += count
        message = f"{count} records were skipped: {why}"
        client.write_records(error(SKIPPED_RECORDS, message, ts_ns=self._now_ns()))

    async def _tell_all(self, client: Client, until: int) -> None:
        audience = client.audience
        assert audience is not None
        total, everything = audience.total, audience.all
        if await self._tell(client, audience.wanted, client.seq, until, {}):
            client.seq, client.total, client.all = until, total, everything

    async def _tell(self, client: Client, wanted: Wanted, after: int, until: int, since: Mapping[str, int]) -> bool:
        """Write what is between two seqs; False if the session began again meanwhile.

        What is not told again, but for the first time, counts as told at once.
        """
        epoch, block, woven = self._ring.epoch, None, None
        async for piece in self._tellings.pieces(after, until):
            if piece.block is not block or woven is None:
                block, woven = piece.block, self._tellings.weave_again(piece, wanted, since)
            rows = woven.rows(piece.lo, piece.hi)
            if rows[0] < rows[1]:
                data = woven.bytes(*rows, sent_ns=self._wall_ns())
                client.write(data)
                self._counts.sent += woven.count(*rows)
                self._counts.bytes += len(data)
                if not since:
                    client.all += woven.count(*rows)
            self._warn(client)
            await client.drain()
            if self._ring.epoch != epoch:
                return False
        return True

    def _warn(self, client: Client) -> None:
        """A client that is not spared anything hears now and then that it is behind."""
        now_s = asyncio.get_running_loop().time()
        if client.slow and now_s - client.warned_s >= WARN_EVERY_S:
            client.warned_s = now_s
            message = "This session is behind real time: records wait for it"
            client.write_records(system(SLOW_READER_WARNING, message, ts_ns=self._now_ns()))


def place_in(client: Client, audience: Audience, head: int) -> None:
    """A client joins an audience at the head."""
    client.audience = audience
    client.seq, client.total, client.all = head, audience.total, audience.all
    audience.members.add(client)
