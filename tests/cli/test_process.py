"""Commands as processes: exit codes and pipes as a shell sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "feedsim", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )


def test_a_stream_into_a_closed_pipe_ends_quietly(recording: Path) -> None:
    """As in `feedsim stream … | head -1`: exit code 0 and nothing on stderr."""
    with _start("stream", str(recording), "--speed", "max") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (0, "")
    assert (first["type"], first["seq"]) == ("status", 1)


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["serve", "/no/such/place"], 2, "feedsim: /no/such/place: no such file or folder\n"),
        (["stream", "ws://127.0.0.1:1"], 1, None),
    ],
)
def test_exit_codes_and_one_line(arguments: Sequence[str], code: int, line: str | None) -> None:
    """What a shell sees of a failure."""
    with _start(*arguments) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert err.count("\n") == 1
    assert line is None or err == line
