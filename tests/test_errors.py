"""The error tree: texts built from facts, exit codes, one root."""

from __future__ import annotations

import pytest

from feedsim.errors import ConfigError, FeedsimError, ProtocolError, ResumeError, SourceError, TapError

SAMPLES = [
    ConfigError("allowed: a, b", field="mode", file="c.toml"),
    SourceError("expected a price", file="a.csv", row=3),
    ProtocolError("bad_request", "no", close_code=1008, id=5),
    TapError("the disk is full"),
]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConfigError("bad"), "bad"),
        (ConfigError("bad", field="port"), "port: bad"),
        (ConfigError("bad", file="c.toml"), "c.toml: bad"),
        (ConfigError("bad", field="port", file="c.toml"), "c.toml: port: bad"),
        (SourceError("bad"), "bad"),
        (SourceError("bad", row=1), "row 1: bad"),
        (SourceError("bad", file="a.csv"), "a.csv: bad"),
        (SourceError("bad", file="a.csv", row=0), "a.csv, row 0: bad"),
        (ProtocolError("forbidden", "bad"), "forbidden: bad"),
        (ResumeError("gone", first=3, last=9), "resume_too_old: gone"),
        (TapError("full"), "full"),
    ],
)
def test_texts_say_where_and_what(error: FeedsimError, text: str) -> None:
    """One line, with the file, row or field where they are known."""
    assert str(error) == text


def test_exit_codes() -> None:
    """2 for what the user gave, 1 for everything else."""
    assert [type(error).exit_code for error in SAMPLES] == [2, 2, 1, 1]


def test_facts_are_kept() -> None:
    """A resume error knows the seqs that can be had, and is a protocol error."""
    error = ResumeError("gone", first=3, last=9, id=4)
    assert (error.code, error.first, error.last, error.id, error.close_code) == ("resume_too_old", 3, 9, 4, None)
    assert isinstance(error, ProtocolError)


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_all_have_one_root(error: FeedsimError) -> None:
    """Whoever catches FeedsimError catches all."""
    assert isinstance(error, FeedsimError)
