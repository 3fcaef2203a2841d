"""Calling the command line in this process, as `feedsim …` would in one of its own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from feedsim.cli import main


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


class CommandLine:
    """`feedsim(*arguments)` runs one command to its end."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Said:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        captured = self._capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Said(left.value.code, captured.out, captured.err)

    def refused(self, *arguments: str) -> str:
        """The one line on stderr with which a command refuses what was asked; its exit code must be 2."""
        said = self(*arguments)
        assert (said.code, said.out) == (2, ""), said
        assert said.err.count("\n") == 1, said.err
        assert said.err.startswith("feedsim: ")
        return said.err
