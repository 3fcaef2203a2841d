"""Many sessions in one folder, made by several processes and, in shards, by several machines that share the folder.

A session is made beside its place and put there when it is whole, so that whoever is stopped at any time goes on by
being started again. Its seed depends on the first seed and its number alone.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console

from feedsim.app.bulk_manifest import WORK, Entry, is_whole, open_bulk, update_manifest, write_entry
from feedsim.app.progress import counting
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError, FeedsimError, TapError
from feedsim.recording.files import lock, make_folder

Facts = dict[str, Any]
Maker = Callable[[SourceSettings, Path], Facts]
"""Makes one session into a folder that is not there yet; what the manifest says of it. A function of a module."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made: `sessions` in all, of which this shard (from 1) of `shards` makes its own."""

    settings: SourceSettings
    out: Path
    sessions: int
    shard: int = 1
    shards: int = 1
    jobs: int = 1
    """Processes; 0 is one for each processor."""

    def numbers(self) -> range:
        """The sessions of the shard, from 1."""
        return range(self.shard, self.sessions + 1, self.shards)


def parse_shard(text: str) -> tuple[int, int]:
    """`i/n` as numbers. Raises ConfigError."""
    first, slash, last = text.partition("/")
    if slash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last):
        return int(first), int(last)
    raise ConfigError(f"{text!r}: expected i/n, as 1/8 for the first of eight shards", field="shard")


def seed_of(first: int, number: int) -> int:
    """The seed of a session: that of the child with this number (from 1) that SeedSequence(first) spawns."""
    child = np.random.SeedSequence(first, spawn_key=(number - 1,))
    return int(child.generate_state(1, np.uint64)[0] >> np.uint64(1))


def make_sessions(order: Order, make: Maker, facts: Facts) -> None:
    """Make what is not there yet of a shard; `facts` fix the sessions but for their seeds.

    Raises ConfigError for a folder with other sessions, and what `make` raises: all sessions that are whole are kept.
    """
    bulk = open_bulk(order.out, order.sessions, order.settings.seed, facts)
    wanted = [number for number in order.numbers() if not is_whole(order.out, number)]
    made = busy = 0
    try:
        with _pool(order.jobs) as pool, _progress(len(order.numbers()), len(wanted)) as advance:
            for entry in _results(pool, order, make, wanted):
                made, busy = made + (entry is not None), busy + (entry is None)
                advance()
    finally:
        there = update_manifest(order.out, bulk)
        with suppress(OSError):  # somebody is at work
            (order.out / WORK).rmdir()
    others = f", {busy} being made by another process" if busy else ""
    Console(stderr=True).print(f"{order.out}: {there} of {bulk.sessions} sessions, {made} made now{others}")


def make_one(order: Order, make: Maker, number: int) -> Entry | None:
    """Make a session and put it in its place; None where another process is at it."""
    work = order.out / WORK
    seed = seed_of(order.settings.seed, number)
    place, making = order.out / name_of(number), work / name_of(number)
    make_folder(work)
    try:
        held = lock(work / f"{name_of(number)}.lock")
    except TapError:
        return None
    with held:
        shutil.rmtree(making, ignore_errors=True)
        facts = make(msgspec.structs.replace(order.settings, seed=seed), making)
        entry = Entry.of(making, number=number, seed=seed, folder=place.name, facts=facts)
        if place.exists():  # and not whole
            shutil.rmtree(place)
        write_entry(order.out, entry)
        making.rename(place)
        with suppress(OSError):  # Windows removes no open file
            Path(held.name).unlink()
    return entry


def name_of(number: int) -> str:
    return f"{number:06d}"


# ----------------------------------------------------------------------------------------------------------- processes


def _results(pool: Executor | None, order: Order, make: Maker, numbers: list[int]) -> Iterator[Entry | None]:
    """As they become ready; the first error ends it."""
    if pool is None:
        yield from (make_one(order, make, number) for number in numbers)
        return
    futures: list[Future[Entry | None]] = [pool.submit(make_one, order, make, number) for number in numbers]
    try:
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        raise FeedsimError(f"{order.out}: a process died; the same command goes on where it ended") from None


@contextmanager
def _pool(jobs: int) -> Iterator[Executor | None]:
    """None for one job: it is done here. What has begun when the block is left is finished, the rest is not begun."""
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1:
        yield None
        return
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_with_parent() -> None:
    """A worker waits for work for ever, also when the process that gave it is gone; so it looks out for that."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C reaches all of them; the parent decides
    parent = multiprocessing.parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _progress(total: int, wanted: int) -> Iterator[Callable[[], None]]:
    with counting(Console(stderr=True)) as progress:
        bar = progress.add_task("sessions", total=total, completed=total - wanted)
        yield lambda: progress.advance(bar)
