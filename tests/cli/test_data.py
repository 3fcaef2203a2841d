"""`feedsim generate`: one session or many, as recordings or as exports; stopped at any time it goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from feedsim.mia import MIA_IA_DataGenerator, OfflineFeed, generate
from feedsim.mia.config import GenConfig
from tests.cli.calls import CommandLine
from tests.mia.conftest import START
from tests.support.server import REPOSITORY

SHORT = ("--minutes", "0.2", "--seed", "5", "--scenario", "chop")


def manifest(out: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((out / "sessions.json").read_bytes())
    return told


def test_many_sessions_are_recordings(feedsim: CommandLine, tmp_path: Path) -> None:
    """Each is verified against its own seed; shards in any order make one manifest."""
    for shard in ("2/2", "1/2"):
        said = feedsim("generate", *SHORT, "--sessions", "3", "--shard", shard, "--out", str(tmp_path))
        assert said.code == 0, said.err
    assert "3 of 3 sessions, 2 made now" in " ".join(said.err.split())
    told = manifest(tmp_path)
    assert len({entry["facts"]["digest"] for entry in told["entries"]}) == 3
    assert told["settings"]["source"]["config"]["scenario"] == "chop"
    for entry in told["entries"]:
        recorded = json.loads((tmp_path / entry["folder"] / "manifest.json").read_bytes())
        assert recorded["source"]["seed"] == entry["seed"]
        assert recorded["epochs"][0]["digest"] == entry["facts"]["digest"]
        assert recorded["epochs"][0]["rows"] == entry["facts"]["events"]
    assert feedsim("verify", str(tmp_path / "000002")).code == 0


def test_a_session_of_many_is_the_session_of_its_seed(feedsim: CommandLine, tmp_path: Path) -> None:
    """Made alone it has the same digest."""
    feedsim("generate", *SHORT, "--sessions", "1", "--out", str(tmp_path / "many"))
    (entry,) = manifest(tmp_path / "many")["entries"]
    alone = [*SHORT[:3], str(entry["seed"]), *SHORT[4:]]
    feedsim("generate", *alone, "--out", str(tmp_path / "one"))
    recorded = json.loads((tmp_path / "one" / "manifest.json").read_bytes())
    assert recorded["epochs"][0]["digest"] == entry["facts"]["digest"]


def test_a_short_recording_has_its_windows(feedsim: CommandLine, tmp_path: Path) -> None:
    """It is the session of that length, not the beginning of a longer one."""
    arguments = ("--minutes", "3", "--seed", "5", "--scenario", "orderflow_accumulation")
    said = feedsim("generate", *arguments, "--out", str(tmp_path / "one"))
    assert said.code == 0, said.err
    session = generate(minutes=3, seed=5, scenario="orderflow_accumulation")
    recorded, told = pd.read_parquet(tmp_path / "one" / "truth"), session.frames()["ground_truth"]
    assert "long_bias" in set(recorded["label"])
    assert recorded["label"].tolist() == told["label"].tolist()
    assert pd.read_parquet(tmp_path / "one" / "trade")["price"].tolist() == session.trades()["price"].tolist()


def test_many_sessions_are_exports(feedsim: CommandLine, tmp_path: Path) -> None:
    """As the seed API exports the session of the same seed."""
    said = feedsim("generate", *SHORT, "--sessions", "2", "--format", "seed", "--out", str(tmp_path / "many"))
    assert said.code == 0, said.err
    entry = manifest(tmp_path / "many")["entries"][1]
    config = GenConfig(start=START, minutes=0.2)
    data = MIA_IA_DataGenerator(seed=entry["seed"]).generate_realistic_session(config, scenario="chop")
    assert entry["facts"]["rows"] == {**{name: len(frame) for name, frame in data.items()}, "windows": 0}
    feed = OfflineFeed(tmp_path / "many" / entry["folder"])
    pd.testing.assert_frame_equal(feed.frame("l1"), data["l1"])
    pd.testing.assert_frame_equal(feed.frame("bars"), data["bars"])


def test_one_export_takes_the_settings(feedsim: CommandLine, tmp_path: Path) -> None:
    """Start, symbols, length of bars, and options of the market."""
    said = feedsim(
        *("generate", "--minutes", "1", "--seed", "5", "--format", "seed", "--out", str(tmp_path / "one")),
        *("--start", "2025-08-22T10:00", "--symbols", "NQ", "--bar-tf-s", "5", "--option", "price.NQ=20000"),
    )
    assert said.code == 0, said.err
    session = generate(
        minutes=1,
        seed=5,
        start=START.replace(day=22, hour=14, minute=0),
        symbols=["NQ"],
        bar_tf_s=5,
        prices={"NQ": 20000.0},
    )
    bars = pd.read_parquet(tmp_path / "one" / "bars.parquet")
    pd.testing.assert_frame_equal(bars, session.frames()["bars"][list(bars.columns)])
    assert "folder is not empty" in feedsim.refused(
        "generate", *SHORT, "--format", "seed", "--out", str(tmp_path / "one")
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sessions", "2"], "minutes: say how long a session is"),
        (["--sessions", "2", "--minutes", "1", "--shard", "3/2"], "shard: '3/2': expected i/n"),
        (["--minutes", "1", "--shard", "1/2"], "sessions: say how many sessions there are to be in all"),
        (["--minutes", "1", "--sessions", "-1"], "sessions: '-1': Expected `int` >= 0"),
        (["--minutes", "1", "--sessions", "2", "--jobs", "-1"], "jobs: '-1': Expected `int` >= 0"),
        (["--minutes", "1", "--format", "csv"], "format: 'csv': allowed: recording, seed"),
        (["--minutes", "1", "--format", "seed", "--warmup-minutes", "1"], "warmup_minutes: 1: this format has none"),
        (["--format", "seed"], "minutes: 0: expected a number above 0"),
        (["--minutes", "1", "--sessions", "2", "--scenario", "chopp"], "did you mean chop?"),
        (["--minutes", "1", "--format", "seed", "--start", "2025-08-23T10:00"], "start: 2025-08-23 10:00:00-04:00"),
        (["there/", "--minutes", "1", "--sessions", "2"], "sessions: there/ is one session"),
        (["there/", "--minutes", "1", "--format", "seed"], "format: only the synthetic market"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments: list[str], says: str, feedsim: CommandLine, tmp_path: Path) -> None:
    """Before anything is written."""
    assert says in feedsim.refused("generate", *arguments, "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_what_was_killed_goes_on(tmp_path: Path) -> None:
    """Killed with its workers after the first session; the same command makes the rest, and each once."""
    out = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "feedsim", "generate", *SHORT),
        *("--sessions", "4", "--jobs", "2", "--out", str(out)),
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    killed = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    while not (there := [*out.glob("0*")]):
        with suppress(subprocess.TimeoutExpired):
            killed.wait(0.005)
            break
    killed.kill()
    killed.communicate()  # ends when its workers, who have its stderr too, have ended
    before = {path: path.stat().st_ctime_ns for path in there}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    told = manifest(out)
    assert told["made"] == 4
    assert before
    assert {path: path.stat().st_ctime_ns for path in before} == before
    assert sorted(path.name for path in out.iterdir()) == [
        *(f"00000{n}" for n in range(1, 5)),
        "_entries",
        "sessions.json",
    ]
