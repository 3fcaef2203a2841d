"""Many sessions: each has its own seed, is whole or not there, and is made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.app.bulk import Order, make_one, make_sessions, parse_shard, seed_of
from feedsim.app.bulk_manifest import MANIFEST, Bulk
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError, FeedsimError
from feedsim.recording.files import lock
from tests.app.makers import DYING, FAILING, write_seed, write_some

FACTS = {"format": "recording", "minutes": 2.0, "tf": (1, 60)}


def order(out: Path, sessions: int = 4, **more: Any) -> Order:
    return Order(settings=SourceSettings(seed=7), out=out, sessions=sessions, **more)


def manifest(out: Path) -> Bulk:
    return msgspec.json.decode((out / MANIFEST).read_bytes(), type=Bulk)


def files(out: Path) -> dict[str, tuple[str, int]]:
    """Each session's text and when it was written."""
    return {path.parts[-3]: (path.read_text(), path.stat().st_mtime_ns) for path in out.glob("0*/l1/rows")}


def test_each_session_has_a_seed_of_its_own(tmp_path: Path) -> None:
    """As SeedSequence spawns them, whatever the number of sessions; the manifest tells it."""
    out = tmp_path / "out"
    make_sessions(order(out), write_seed, FACTS)
    spawned = [int(child.generate_state(1, np.uint64)[0]) >> 1 for child in np.random.SeedSequence(7).spawn(4)]
    made = manifest(out)
    assert [entry.seed for entry in made.entries] == spawned
    assert [files(out)[entry.folder][0] for entry in made.entries] == [str(seed) for seed in spawned]
    assert (made.made, made.sessions, made.seed, made.settings["tf"]) == (4, 4, 7, [1, 60])
    assert [entry.facts["events"] for entry in made.entries] == [seed % 1000 for seed in spawned]
    assert sorted(path.name for path in out.iterdir()) == [f"00000{n}" for n in range(1, 5)] + ["_entries", MANIFEST]


@given(st.integers(0, 2**63 - 1), st.lists(st.integers(1, 10**6), min_size=2, max_size=2, unique=True))
def test_seeds_differ_and_fit(first: int, numbers: list[int]) -> None:
    """Every seed is one that the market takes."""
    one, other = (seed_of(first, number) for number in numbers)
    assert one != other
    assert 0 <= one < 2**63


@given(st.integers(0, 50), st.integers(1, 9))
def test_shards_are_all_sessions_once(sessions: int, shards: int) -> None:
    """Whatever does not divide."""
    parts = [order(Path(), sessions, shard=shard, shards=shards).numbers() for shard in range(1, shards + 1)]
    assert sorted(number for part in parts for number in part) == list(range(1, sessions + 1))


def test_shards_of_one_folder_have_one_manifest(tmp_path: Path) -> None:
    """Whoever comes last has told of all."""
    for shard in (2, 3, 1):
        make_sessions(order(tmp_path, 5, shard=shard, shards=3), write_seed, FACTS)
    assert [entry.number for entry in manifest(tmp_path).entries] == [1, 2, 3, 4, 5]


def test_what_is_whole_is_not_made_again(tmp_path: Path) -> None:
    """More sessions of the same settings join those that are there."""
    make_sessions(order(tmp_path, 2), write_seed, FACTS)
    before = files(tmp_path)
    make_sessions(order(tmp_path, 3), write_seed, FACTS)
    after = files(tmp_path)
    assert before.items() < after.items()
    assert manifest(tmp_path).made == 3
    make_sessions(order(tmp_path, 1), write_seed, FACTS)
    assert manifest(tmp_path).sessions == 3


@pytest.mark.parametrize("damage", ["cut", "gone", "more", "no entry", "no folder"])
def test_what_is_not_whole_is_made_again(damage: str, tmp_path: Path) -> None:
    """A session with another file than its entry says, or without an entry."""
    make_sessions(order(tmp_path), write_seed, FACTS)
    before = files(tmp_path)
    rows = tmp_path / "000002" / "l1" / "rows"
    match damage:
        case "cut":
            rows.write_text(rows.read_text()[:-1])
        case "gone":
            rows.unlink()
        case "more":
            rows.with_name("other").write_text("")
        case "no entry":
            (tmp_path / "_entries" / "000002.json").unlink()
        case "no folder":
            rows.unlink()
            rows.parent.rmdir()
            rows.parents[1].rmdir()
    make_sessions(order(tmp_path), write_seed, FACTS)
    after = files(tmp_path)
    assert {name: text for name, (text, _) in after.items()} == {name: text for name, (text, _) in before.items()}
    assert {name for name in after if after[name] != before[name]} == {"000002"}
    assert not (tmp_path / "000002" / "l1" / "other").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_keeps_what_is_whole(jobs: int, tmp_path: Path) -> None:
    """The rest is made when the same is asked for again."""
    out = tmp_path / "out"
    (tmp_path / FAILING).touch()
    with pytest.raises(FeedsimError, match="no space left"):
        make_sessions(order(out, 3, jobs=jobs), write_some, FACTS)
    assert 2 not in [entry.number for entry in manifest(out).entries]
    assert not (out / "000002").exists()
    (tmp_path / FAILING).unlink()
    make_sessions(order(out, 3, jobs=jobs), write_some, FACTS)
    assert manifest(out).made == 3
    assert not (out / "_work").exists()


def test_a_process_that_dies_is_one_line(tmp_path: Path) -> None:
    """Killed for its memory, say: the same command goes on."""
    out = tmp_path / "out"
    (tmp_path / DYING).touch()
    with pytest.raises(FeedsimError, match="a process died; the same command goes on where it ended"):
        make_sessions(order(out, 3, jobs=2), write_some, FACTS)
    (tmp_path / DYING).unlink()
    make_sessions(order(out, 3), write_some, FACTS)
    assert manifest(out).made == 3


def test_a_session_that_is_being_made_is_left_alone(tmp_path: Path) -> None:
    """Two processes with the same shard do not spoil each other's work."""
    make_sessions(order(tmp_path, 1), write_seed, FACTS)
    (tmp_path / "_work").mkdir()
    with lock(tmp_path / "_work" / "000002.lock"):
        assert make_one(order(tmp_path), write_seed, 2) is None
        make_sessions(order(tmp_path, 3), write_seed, FACTS)
    assert [entry.number for entry in manifest(tmp_path).entries] == [1, 3]


@pytest.mark.parametrize(
    ("seed", "facts", "says"),
    [
        (8, FACTS, "seed 7, not 8"),
        (7, {**FACTS, "minutes": 3.0}, "minutes 2.0, not 3.0"),
        (7, {**FACTS, "format": "seed"}, "format recording, not seed"),
    ],
)
def test_other_sessions_are_refused(seed: int, facts: dict[str, Any], says: str, tmp_path: Path) -> None:
    """A folder has sessions of the same settings only."""
    make_sessions(order(tmp_path, 1), write_seed, FACTS)
    wanted = msgspec.structs.replace(order(tmp_path, 2), settings=SourceSettings(seed=seed))
    with pytest.raises(ConfigError, match=f"has sessions of other settings: {says}"):
        make_sessions(wanted, write_seed, facts)
    assert list(files(tmp_path)) == ["000001"]


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    """Nothing of the user's is touched."""
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ConfigError, match=r"has thesis.tex but no sessions.json: name a new folder"):
        make_sessions(order(tmp_path), write_seed, FACTS)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"out: .*file: cannot be written"):
        make_sessions(order(tmp_path / "file"), write_seed, FACTS)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/", "/2", "a/b", "-1/2", "1/2/3", ""])
def test_shards_that_cannot_be_are_refused(text: str) -> None:
    """Shards are counted from 1."""
    with pytest.raises(ConfigError, match=r"shard: .*expected i/n"):
        parse_shard(text)


def test_a_shard_is_read() -> None:
    """As i/n."""
    assert parse_shard("3/16") == (3, 16)
