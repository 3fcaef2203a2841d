"""Measurements: what they count, never how fast this machine is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import FeedsimError
from feedsim.lab.fanout import cpu_seconds, fan_out
from feedsim.lab.lateness import pacer_lateness, quantile, sleep_lateness
from feedsim.lab.machine import Check, checks
from feedsim.lab.rates import counting, generator_rate, tape_rate
from feedsim.playback.loop import run
from tests.lab.made import market, tape_of
from tests.support.recordings import record
from tests.support.server import REPOSITORY


@given(values=st.lists(st.floats(0, 1), min_size=1), share=st.floats(0.01, 1))
def test_a_quantile_is_the_least_value_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    """By its definition."""
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    below = [value for value in values if value < found]
    assert not below or len(below) < share * len(values) + 1e-9


@pytest.mark.parametrize("measure", [sleep_lateness, pacer_lateness])
async def test_lateness_is_never_early(measure: object) -> None:
    """A wake-up comes at its time or later."""
    assert callable(measure)
    lateness = await measure(per_s=2000.0, count=20)
    assert 0 <= lateness.p50_s <= lateness.p99_s


def test_the_loop_is_the_servers() -> None:
    """Measured on uvloop where there is one."""

    async def module() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(module()).startswith(("uvloop", "asyncio"))


def test_a_tapes_rate_counts_its_events() -> None:
    """All events but those of the first chunk, and the time in the session that they took."""
    tape = tape_of(market(3, seconds=20), seconds=20, symbols=("ES", "NQ"))
    rate = tape_rate(tape, budget_s=60.0)
    again = tape_of(market(3, seconds=20), seconds=20, symbols=("ES", "NQ"))
    first = again.advance(4096)
    assert first is not None
    assert tape.seq == rate.events + len(first)
    assert rate.per_s > 0
    assert rate.session_s > 0


async def test_a_generators_rate_counts_to_its_end() -> None:
    """The first event is not counted: what comes before it is another cost."""
    assert (await generator_rate(counting(2500), budget_s=60.0)).events == 2499
    assert (await generator_rate(counting(0), budget_s=60.0)).events == 0


async def test_a_generators_rate_stops_in_time() -> None:
    """A generator without an end is left when the time is over."""

    async def forever() -> AsyncIterator[object]:
        while True:
            yield None

    events = forever()
    assert (await generator_rate(events, budget_s=0.0)).events == 1000


def test_every_check_has_a_name_and_what_was_found() -> None:
    """Whatever will not do has an advice."""
    found = list(checks(port=0))
    assert len({check.name for check in found}) == len(found)
    assert all(check.found for check in found)
    assert all(check.advice for check in found if check.verdict != "ok")


def test_a_cache_folder_that_cannot_be_written_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It costs a second at every start, no more: a note, not a failure."""
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    (cache,) = [check for check in checks(port=0) if check.name == "numba cache"]
    assert isinstance(cache, Check)
    assert cache.verdict == "note"
    assert cache.found.startswith(str(tmp_path / "file"))


def test_cpu_seconds_of_this_process() -> None:
    """What this process used is more than nothing; a process that is not there tells nothing."""
    used = cpu_seconds(os.getpid())
    assert used is None or used > 0
    assert cpu_seconds(2**30) is None


async def test_all_clients_of_a_fan_out_get_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server, from its start to its end."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    tape = tape_of(market(3, seconds=60), seconds=60, symbols=("ES", "NQ"))
    record(tmp_path / "r", [tape.read(2**62)])
    result = await fan_out([str(tmp_path / "r"), "--speed", "20"], clients=3, seconds=0.3)
    assert result.clients == 3
    assert result.frames >= 3
    assert result.events > 0
    assert result.first_event_s > 0


async def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own line is in the error."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with pytest.raises(FeedsimError, match="the server did not start: feedsim: /no/such: no such file or folder"):
        await fan_out(["/no/such"], clients=1, seconds=0.1)
