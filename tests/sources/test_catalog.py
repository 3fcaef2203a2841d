"""From a user's word to a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.errors import ConfigError, SourceError
from feedsim.sources.catalog import kind_of, open_source, reopen
from tests.support import seed_export
from tests.support.seed_export import write
from tests.support.sierra_files import session


def _csv(path: Path, price: str = "5000.25") -> Path:
    path.write_text(f"ts,symbol,price,size\n1755783000000,ES,{price},3\n")
    return path


def test_kinds_are_known_by_what_lies_there(tmp_path: Path) -> None:
    """A folder of chart files, an export, a delimited file; None for anything else."""
    session(tmp_path / "charts", 1)
    write(tmp_path / "export", {"l1": seed_export.l1()})
    (tmp_path / "other").mkdir()
    kinds = [kind_of(tmp_path / name) for name in ("charts", "export", "other")]
    assert kinds == ["sierra", "seed", None]
    assert kind_of(_csv(tmp_path / "a.csv")) == "csv"


@pytest.mark.parametrize("name", ["absent", "folder"])
def test_what_cannot_be_replayed_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing there, or nothing of any kind."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError) as caught:
        open_source(str(tmp_path / name))
    assert caught.value.file == str(tmp_path / name)


def test_options_that_a_kind_does_not_have_are_refused(tmp_path: Path) -> None:
    """The error says which it has."""
    write(tmp_path / "export", {"l1": seed_export.l1()})
    with pytest.raises(ConfigError, match="it has: none"):
        open_source(str(tmp_path / "export"), options={"epoch": "1"})
    with pytest.raises(ConfigError, match="symbol, time_unit, kind, column"):
        open_source(str(_csv(tmp_path / "a.csv")), options={"epoch": "1"})


def test_identities_open_the_same_source_again(tmp_path: Path) -> None:
    """Of every kind, at its place or where it was moved; a changed one is refused."""
    session(tmp_path / "charts", 1)
    write(tmp_path / "export", {"l1": seed_export.l1()})
    _csv(tmp_path / "a.csv")
    for name in ("charts", "export", "a.csv"):
        source = open_source(str(tmp_path / name))
        again = reopen(source.info.identity)
        assert again.info.identity == source.info.identity
        moved = (tmp_path / name).rename(tmp_path / f"moved-{name}")
        reopen(source.info.identity, path=str(moved)).close()
        source.close()
        again.close()
    source = open_source(str(tmp_path / "moved-a.csv"))
    _csv(tmp_path / "moved-a.csv", "5000.50")
    with pytest.raises(SourceError, match="it differs in ends_sha256"):
        reopen(source.info.identity)
    source.close()
