"""`feedsim latency`: of events, of orders, of a load plan; as tables, files and gates."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

import feedsim as package
from feedsim.wire.reactions import FILE
from tests.cli.calls import CommandLine
from tests.lab.latency.rows import every, order
from tests.support.day import write_day
from tests.support.server import ServerFactory


@pytest.fixture
def stalled(tmp_path: Path) -> Path:
    """A folder with the orders of a bot that stalls once for 2 s; a crash tore the last line."""
    rows = [*every(10, [1.0] * 400), order(4000, 2000.0), *(order(6010 + 10 * at, 1.0) for at in range(100))]
    lines = b"\n".join(map(msgspec.json.encode, rows))
    (tmp_path / FILE).write_bytes(lines + b'\n{"n":502,"sess')
    return tmp_path


def test_events_of_a_server(feedsim: CommandLine, feedsim_server: ServerFactory, tmp_path: Path) -> None:
    """A table, JSON, a page, a file for plotters; a limit that is kept and one that is not."""
    server = feedsim_server(str(write_day(tmp_path / "day", seconds=600, seed=3)), "--speed", "50")
    files = {name: tmp_path / f"out.{name}" for name in ("json", "html", "hgrm")}
    words = ["--json", str(files["json"]), "--plot", str(files["html"]), "--hgrm", str(files["hgrm"])]
    said = feedsim("latency", server.url, "--seconds", "1", *words, "--check", "max<60s,round_trip.max<1ns")
    assert said.code == 1
    assert "max<60s: kept" in said.err
    assert "round_trip.max<1ns: not kept" in said.err
    facts = json.loads(files["json"].read_text())["series"]
    assert facts["one_way"]["count"] > 10
    assert facts["channel:trade"]["count"] > 10
    assert "sent to received, frames" in said.out
    assert "<svg" in files["html"].read_text()
    assert files["hgrm"].read_text().split()[:3] == ["Value", "Percentile", "TotalCount"]


def test_the_clocks_of_two_hosts(feedsim: CommandLine, feedsim_server: ServerFactory, tmp_path: Path) -> None:
    """With --clock ping the offset is estimated, and its error is said."""
    server = feedsim_server(str(write_day(tmp_path / "day", seconds=600, seed=3)), "--speed", "50")
    said = feedsim("latency", server.url, "--seconds", "0.3", "--clock", "ping")
    assert said.code == 0
    assert "µs ahead" in said.out
    assert "known to ±" in said.out


async def react(url: str, orders: int, *, token: str) -> None:
    """A bot that answers events, whose orders are pings that name what it saw."""
    async with package.connect(url, channels=["trade"], token=token) as feed:
        async for event in feed:
            await feed.ping(seen_seq=event.seq)
            orders -= 1
            if not orders:
                return


def test_orders_of_a_server(feedsim: CommandLine, feedsim_server: ServerFactory, tmp_path: Path) -> None:
    """What the server measured of a bot; with a token only for who shows it."""
    day = write_day(tmp_path / "day", seconds=600, seed=3)
    server = feedsim_server(str(day), "--speed", "20", "--token", "secret")
    refused = feedsim("latency", server.url, "--reactions")
    assert (refused.code, "401" in refused.err) == (1, True)
    assert feedsim("latency", server.url, "--reactions", "--token", "secret").out.count("0 orders of 0 clients") == 1

    asyncio.run(react(server.url, 20, token="secret"))
    said = feedsim("latency", server.url, "--reactions", "--token", "secret", "--json", "-")
    series = json.loads(said.out)["series"]
    assert series["measured"]["count"] == series["channel:trade"]["count"] == series["due"]["count"] == 20


def test_orders_of_a_recording(feedsim: CommandLine, stalled: Path) -> None:
    """A stall of 2 s: what was measured hides it, what is corrected does not, and the gate means the latter."""
    said = feedsim("latency", str(stalled), "--reactions", "--check", "measured.p99<5ms,p99<5ms")
    assert said.code == 1
    assert "501 orders of 1 client" in said.out
    assert "measured.p99<5ms: kept" in said.err
    assert "\np99<5ms: not kept" in said.err
    assert feedsim("latency", str(stalled / FILE), "--reactions", "--check", "p50<5ms").code == 0


def test_a_file_for_each_series_that_is_drawn(feedsim: CommandLine, stalled: Path, tmp_path: Path) -> None:
    """The gate's under the name that was given, the others beside it; and a drawing without a page."""
    words = ["--hgrm", str(tmp_path / "bot.hgrm"), "--plot", str(tmp_path / "b.svg")]
    assert feedsim("latency", str(stalled), "--reactions", *words).code == 0
    assert {path.name for path in tmp_path.glob("*.hgrm")} >= {"bot.hgrm", "bot-measured.hgrm"}
    assert (tmp_path / "b.svg").read_text().startswith("<svg xmlns=")


def test_a_plan(feedsim: CommandLine, tmp_path: Path) -> None:
    """Steps are run and told; a limit is of each step."""
    day = write_day(tmp_path / "day", seconds=600, seed=3)
    plan = tmp_path / "plan.toml"
    plan.write_text(f'[server]\nsource = "{day}"\n[[step]]\nname = "only"\nseconds = 0.5\nspeed = 50\nclients = 2\n')
    said = feedsim("latency", "--plan", str(plan), "--plot", str(tmp_path / "load.html"), "--check", "p50<1ns")
    assert said.code == 1, said
    assert "step only: p50<1ns: not kept" in said.err
    assert "no knee" in said.out
    assert "latency against load" in (tmp_path / "load.html").read_text()


def test_a_plan_on_a_server_that_runs(feedsim: CommandLine, feedsim_server: ServerFactory, tmp_path: Path) -> None:
    """In a private session, which all the step's clients are on; the live one goes on as it was."""
    server = feedsim_server(str(write_day(tmp_path / "day", seconds=600, seed=3)))
    plan = tmp_path / "plan.toml"
    plan.write_text('[[step]]\nname = "one"\nseconds = 0.5\nspeed = 50\nclients = 3\nburst = "open"\n')
    said = feedsim("latency", server.url, "--plan", str(plan), "--json", "-")
    (step,) = json.loads(said.out)["steps"]
    assert step["series"]["one_way"]["count"] > 5
    assert step["load"] == pytest.approx(3 * step["events_per_s"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "url: name a server"),
        (["http://x"], "expected ws://host:port"),
        (["ws://127.0.0.1:1", "--check", "p99<5"], "check: 'p99<5': expected"),
        (["ws://127.0.0.1:1", "--clock", "sun"], "clock: 'sun': allowed: auto, same, ping"),
        (["ws://127.0.0.1:1", "--seconds", "0"], "seconds: 0: expected a number above 0"),
        (["ws://127.0.0.1:1", "--plot", "x.png"], "plot: x.png: expected a name that ends with .html or .svg"),
        (["ws://127.0.0.1:1", "--json", "nowhere/x.json"], "json: nowhere/x.json: no such folder"),
        (["nowhere", "--reactions"], "nowhere: No such file or directory"),
        (["ws://127.0.0.1:1", "--reactions", "--rate", "-1"], "rate: -1: expected a number above 0"),
        (["--plan", "nowhere.toml"], "nowhere.toml: cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused(feedsim: CommandLine, words: list[str], told: str) -> None:
    """One line, exit code 2, before anything is measured."""
    assert told in feedsim.refused("latency", *words)


def test_rows_that_are_none_are_named(feedsim: CommandLine, tmp_path: Path) -> None:
    """File and row; only a last line that a crash tore may be wrong."""
    file = tmp_path / "x.jsonl"
    file.write_bytes(msgspec.json.encode(order(0, 1)) + b'\n{"n":"x"}\n')
    assert f"{file}, row 2: no reaction" in feedsim.refused("latency", str(file), "--reactions")
