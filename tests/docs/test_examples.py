"""What README and docs show to run does run: programs, commands and their options, lines that read a recording."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pandas
import polars
import pytest
import typer

from feedsim.cli import app
from feedsim.wire.messages import AnyEvent
from tests.support.server import REPOSITORY, ServerFactory, gateway_of

README = (REPOSITORY / "README.md").read_text()
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")), REPOSITORY / "clients" / "README.md"]
DOCS = REPOSITORY / "docs"
URL = "ws://127.0.0.1:8765"
GATEWAY = "port=13000"
COMMANDS: Any = typer.main.get_command(app)


def programs() -> Iterator[Any]:
    """The Python examples that are whole programs, by where they are shown."""
    for page in PAGES:
        for number, text in enumerate(re.findall(r"```python\n(import .*?)```", page.read_text(), re.DOTALL), 1):
            yield pytest.param(text, id=f"{page.relative_to(REPOSITORY)}:{number}")


def command_lines() -> Iterator[Any]:
    """Every `feedsim …` that is shown, without what is said beside it."""
    for page in PAGES:
        blocks = re.findall(r"```\n(.*?)```", page.read_text(), re.DOTALL)
        code = "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", page.read_text())])
        for line in re.findall(r"^(?:\S*/)?feedsim (?!serving)([a-z].*)", code, re.MULTILINE):
            shown = re.split(r" {3,}", line)[0]
            yield pytest.param(shown, id=f"{page.relative_to(REPOSITORY)}: {shown}")


def test_readme_shows_programs_and_commands() -> None:
    """The patterns above find what they look for."""
    assert len([param for param in programs() if "README" in str(param.id)]) == 2
    assert {"serve", "inspect", "verify"} <= {param.values[0].split()[0] for param in command_lines()}


@pytest.mark.parametrize("program", list(programs()))
def test_a_program_runs(program: str, feedsim_server: ServerFactory) -> None:
    """Against a server where it needs one; it ends by itself, without an error, and has printed something."""
    if URL in program:
        server = feedsim_server("synthetic:", "--minutes", "1", "--speed", "max", "--wait-clients", "1")
        program = program.replace(URL, server.url)
    if GATEWAY in program:
        server = feedsim_server("synthetic:", "--minutes", "1", "--wait-clients", "1", "--databento", "0")
        program = program.replace(GATEWAY, gateway_of(server))
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() not in ("", "False")


def test_the_test_shown_is_one(tmp_path: Path) -> None:
    """The page about testing has a test that passes with the fixtures that come with feedsim."""
    (shown,) = re.findall(r"```python\n# (test_bars\.py\n.*?)```", (DOCS / "testing.md").read_text(), re.DOTALL)
    run = pytest_of(tmp_path, *shown.split("\n", 1))
    assert "1 passed" in run.stdout, run.stdout


def test_the_tests_of_the_example_bot_pass(tmp_path: Path) -> None:
    """As a user runs them: nothing but feedsim is set up."""
    folder = REPOSITORY / "clients" / "python"
    for name in ("trading_bot.py", "test_trading_bot.py"):
        shutil.copy(folder / name, tmp_path)
    run = pytest_of(tmp_path, "test_trading_bot.py", (folder / "test_trading_bot.py").read_text())
    assert "3 passed" in run.stdout, run.stdout


def pytest_of(folder: Path, name: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run one file of tests in a folder of its own."""
    (folder / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=110, check=False)


@pytest.mark.parametrize("line", list(command_lines()))
def test_a_command_exists_and_has_the_options_shown(line: str) -> None:
    """What is shown can be typed."""
    name, *words = line.split()
    command = COMMANDS.commands[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= {*known, "--help"}


def test_a_recording_is_read_back_by_each_line_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pandas, polars and DuckDB all find the same trades, in the order of seq."""
    generate = [sys.executable, "-m", "feedsim", "generate", "--minutes", "1", "--seed", "7", "--out", "out"]
    subprocess.run(generate, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=True)
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(pandas\..*?)```", README, re.DOTALL)
    libraries = {"pandas": pandas, "polars": polars, "duckdb": duckdb}
    one, two, three = (eval(line, libraries.copy()) for line in block.splitlines())
    seqs = [int(seq) for seq in one["seq"]]
    assert len(seqs) > 10
    assert seqs == sorted(seqs) == two["seq"].to_list() == [row[0] for row in three.select("seq").fetchall()]


def test_readme_shows_what_serve_prints(feedsim_server: ServerFactory) -> None:
    """Word for word, but for the port."""
    (shown,) = re.findall(r"```\n(feedsim serving .*?)```", README, re.DOTALL)
    server = feedsim_server("synthetic:")
    assert server.terminate() == 0
    assert shown == server.output.replace(str(server.port), "8765")


def test_readme_shows_events() -> None:
    """What the plain bot is said to print are events of the wire."""
    (shown,) = re.findall(r"```\n\$ \S+ clients/python/plain_bot.py --count 3\n(.*?)```", README, re.DOTALL)
    events = [msgspec.json.decode(line, type=AnyEvent) for line in shown.splitlines()]
    assert len(events) == 3
