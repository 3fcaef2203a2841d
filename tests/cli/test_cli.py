"""What all commands have in common: help, exit codes, and one line for what cannot be done."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from feedsim import __version__
from feedsim.cli import app
from tests.cli.calls import CommandLine

COMMANDS = sorted(str(command.callback.__name__) for command in app.registered_commands if command.callback)


def test_all_commands_are_there() -> None:
    """The commands that users learn."""
    learnt = {
        "serve",
        "generate",
        "stream",
        "record",
        "verify",
        "inspect",
        "realism",
        "calibrate",
        "sources",
        "latency",
        "bench",
        "doctor",
    }
    assert set(COMMANDS) == learnt


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str, feedsim: CommandLine) -> None:
    """Help says in a sentence what a command does and how it is called."""
    said = feedsim(command, "--help")
    assert said.code == 0
    assert re.search(rf"^  feedsim {command}\b", said.out, re.MULTILINE), said.out
    assert said.err == ""


def test_version(feedsim: CommandLine) -> None:
    """The version is the package's."""
    assert feedsim("--version").out == f"feedsim {__version__}\n"


def test_no_command_is_answered_by_help(feedsim: CommandLine) -> None:
    """Help goes to stderr and the exit code is 2, so that a script notices."""
    said = feedsim()
    assert (said.code, said.out) == (2, "")
    assert all(f"\n  {command} " in said.err for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nope"], "No such command 'nope'"),
        (["serve", "--nope"], "No such option: --nope"),
        (["serve", "a", "b"], "unexpected extra argument"),
        (["stream"], "Missing argument 'URL|SOURCE'"),
        (["stream", "x", "--count", "many"], "Invalid value for '--count'"),
        (["serve", "--port", "x"], "command line: port: 'x': Expected `int`"),
        (["serve", "--port", "70000"], "command line: port: '70000': Expected `int` <= 65535"),
        (["serve", "--speed", "fast"], "speed: 'fast': allowed: max or a number from 0.001 to 1,000,000"),
        (["serve", "--speed", "-1"], "speed: '-1': allowed: max or a number from 0.001 to 1,000,000"),
        (["serve", "--speed", "nan"], "speed: 'nan': allowed: max or a number from 0.001 to 1,000,000"),
        (["serve", "--minutes", "nan"], "minutes: 'nan': Expected `float` >= 0.0"),
        (["serve", "--log", "xml"], "log: 'xml': allowed: text, json"),
        (["serve", "--option", "x"], "option: 'x': write it as name=value"),
        (["serve", "--rebase", "now", "--speed", "2"], "rebase: only a session at speed 1 can happen now"),
        (["serve", "/no/such/place"], "/no/such/place: no such file or folder"),
        (["serve", "no/such\nplace"], "no/such place: no such file or folder"),
        (["inspect", "/no/such/place"], "/no/such/place: no such file or folder"),
        (["stream", "/no/such/place"], "/no/such/place: no such file or folder"),
        (["generate", "/no/such/place", "--out", "x"], "/no/such/place: no such file or folder"),
        (["sources", "/no/such/place"], "folder: /no/such/place: no such folder"),
        (["verify", "/no/such/place"], "/no/such/place/manifest.json: cannot be read: No such file or directory"),
        (["serve", "--config", "/no/such/place"], "/no/such/place: cannot be read: No such file or directory"),
        (["generate", "--minutes", "1"], "out: name a folder for the recording"),
        (["record", "http://there", "--out", "x"], "url: 'http://there': expected ws://host:port"),
        (["record", "ws://there:http", "--out", "x"], "url: 'ws://there:http': expected ws://host:port"),
        (["stream", "ws://there:99999"], "url: 'ws://there:99999': expected ws://host:port"),
        (["stream", "ws://"], "url: 'ws://': expected ws://host:port"),
        (["doctor", "--port", "0"], "Invalid value for '--port'"),
        (["bench", "--speed", "0"], "speed: 0: expected a number above 0"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: list[str], says: str, feedsim: CommandLine) -> None:
    """The line names what was wrong; the exit code is 2 and nothing is on stdout."""
    assert says in feedsim.refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serve", "--start", "25:99"], "start: '25:99': write it as 2025-08-21T09:30"),
        (["inspect", "--start", "2020-01-01"], "start: 2020-01-01: outside the source, which has 2025-08-21 09:30:00"),
        (["inspect", "--plot", "x.gif"], "plot: x.gif: pictures are .png or .html"),
        (["inspect", "--plot", "no/such/x.png"], "plot: no/such/x.png: no such folder"),
        (["serve", "--option", "x=y"], "x: this source has no such option; it has: epoch"),
        (["serve", "--bar-tf-s", "7"], "bar_tf_s: [7]: lengths must divide a day"),
        (["serve", "--host", "203.0.113.7", "--port", "0"], "cannot listen on 203.0.113.7"),
        (["stream", "--channels", "news"], "channels: 'news': there are status, bar"),
        (["stream", "--symbols", "CL"], "symbols: 'CL': this source has ES, NQ"),
        (["stream", "--speed", "fast"], "speed: 'fast': allowed: max or a number from 0.001 to 1,000,000"),
    ],
)
def test_what_a_source_cannot_do_is_one_line(
    arguments: list[str], says: str, feedsim: CommandLine, recording: Path
) -> None:
    """Also where the source is there and only what is asked of it is wrong."""
    command, *rest = arguments
    assert says in feedsim.refused(command, str(recording), *rest)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("speed = ", "c.toml: not valid TOML"),
        ("sped = 2", "c.toml: sped: unknown setting; there are: bar_tf_s"),
        ("speed = 'fast'", "c.toml: speed: 'fast': allowed: max or a number from 0.001 to 1,000,000"),
        ("\xff", "c.toml: not valid TOML"),
    ],
)
def test_a_bad_settings_file_is_named(text: str, says: str, feedsim: CommandLine, tmp_path: Path) -> None:
    """The file, the field and what is allowed."""
    file = tmp_path / "c.toml"
    file.write_bytes(text.encode("latin-1"))
    assert says in feedsim.refused("serve", "--config", str(file))


def test_a_bad_environment_is_named(feedsim: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting from the environment is told apart from one of the command line."""
    monkeypatch.setenv("FEEDSIM_PORT", "eighty")
    assert "environment: port: 'eighty'" in feedsim.refused("serve")


@pytest.mark.parametrize("command", ["serve", "generate"])
def test_a_folder_that_cannot_be_written(command: str, feedsim: CommandLine, recording: Path, tmp_path: Path) -> None:
    """A recording cannot go below a file, nor into a folder with other things in it."""
    option = {"serve": "--tap", "generate": "--out"}[command]
    (tmp_path / "file").write_text("x")
    below, used = str(tmp_path / "file" / "r"), str(tmp_path)
    assert f"{below}: cannot record into this folder" in feedsim.refused(command, str(recording), option, below)
    assert f"{used}: the folder is not empty" in feedsim.refused(command, str(recording), option, used)


def test_a_port_in_use(feedsim: CommandLine, recording: Path) -> None:
    """The line names address and port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port: cannot listen on 127.0.0.1:{port}" in feedsim.refused(
            "serve", str(recording), "--port", str(port)
        )


def test_nobody_there(feedsim: CommandLine) -> None:
    """A server that does not answer is a failure of the work, not of what was asked: exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    said = feedsim("stream", f"ws://127.0.0.1:{port}")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert f"ws://127.0.0.1:{port}" in said.err
