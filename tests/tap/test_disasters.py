"""A recording through the worst: killed at any moment, and on a disk that is really full."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from feedsim.recording.reader import open_recording
from feedsim.tap.writer import Writer
from tests.support.chunks import told
from tests.support.recordings import header, told_by
from tests.support.server import REPOSITORY
from tests.tap.killed import chunks_of

KILLS = {False: 10, True: 30}
SEED = 19
WRITE = """
import sys
from pathlib import Path
from tests.tap.killed import write
write(Path(sys.argv[1]), int(sys.argv[2]))
"""
FILL = """
import asyncio, json, sys
from pathlib import Path
from tests.tap.killed import fill
asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))
"""
# A mount in a name space of its own goes away with its process, and needs no rights where user name spaces are allowed.
SMALL_DISK = "mount -t tmpfs -o size=8m tmpfs {folder} && exec {python} -c '{code}' {folder}/r {seed}"


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)


@pytest.mark.full
def test_it_is_killed_at_random_times(tmp_path: Path, full: bool) -> None:
    """kill -9: what was said to be durable is there, nothing else is, and the next tap goes on behind it."""
    everything = told(chunks_of(SEED))
    rng = random.Random(41)
    for kill in range(KILLS[full]):
        folder = tmp_path / str(kill)
        with python(WRITE, str(folder), str(SEED)) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline()]
            time.sleep(rng.uniform(0, 0.3))
            process.kill()
            lines += process.stdout
        said = json.loads([line for line in lines if line.endswith("}\n")][-1])["durable_seq"]
        found = told_by(open_recording(folder))
        assert len(found) >= said > 0, kill
        assert found == everything[: len(found)], kill
        writer = Writer(folder, header(), continue_=True)
        assert writer.durable == (1, len(found)), kill
        writer.close()


def in_small_disk(folder: Path, code: str) -> list[str]:
    """The command of a program that has `folder` as a disk of 8 MB to itself."""
    script = SMALL_DISK.format(folder=folder, python=sys.executable, code=code, seed=SEED)
    return ["unshare", *(["--mount"] if os.geteuid() == 0 else ["--map-root-user", "--mount"]), "sh", "-c", script]


def may_mount() -> bool:
    """Whether such a disk can be had here."""
    try:
        probe = subprocess.run(
            [*in_small_disk(Path("/tmp"), "pass")[:-1], "mount -t tmpfs -o size=8m tmpfs /tmp"], capture_output=True
        )
    except OSError:
        return False
    return probe.returncode == 0


@pytest.mark.skipif(not may_mount(), reason="a disk of 8 MB needs name spaces for mounts, which are not allowed here")
def test_a_disk_of_8_mb_is_filled(tmp_path: Path) -> None:
    """The tap stops and says so, in the manifest too; what it had said to be durable is there; the feed goes on."""
    run = subprocess.run(in_small_disk(tmp_path, FILL), capture_output=True, text=True, cwd=REPOSITORY, timeout=100)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["state"] == "stopped"
    assert "no space left on device" in found["problem"].lower()
    assert found["told"] > found["recorded"] >= found["durable"] > 0
    assert found["hole"] == [found["recorded"] + 1, found["told"]]
    assert found["same"]
