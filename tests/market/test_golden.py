"""The bytes of some sessions are those that they always were: law 3, from one machine and release to the next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from feedsim.market.kernel import FORMAT
from feedsim.market.scenarios import SCENARIOS
from tests.market.digesting import SESSIONS, Session, digest

GOLDEN = Path(__file__).with_name("golden_sessions.json")
WRITE = "FEEDSIM_WRITE_GOLDENS"


def test_golden_sessions() -> None:
    """Other bytes need another FORMAT, and then the file is written anew with FEEDSIM_WRITE_GOLDENS=1."""
    assert set(SCENARIOS) <= set(SESSIONS), "each scenario has one"
    digests = {name: digest(session) for name, session in SESSIONS.items()}
    found = {"format": FORMAT, "digests": digests}
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else None
    if os.environ.get(WRITE) and golden != found:
        if golden is not None and golden["format"] == FORMAT:
            changed = [name for name, value in golden["digests"].items() if digests.get(name, value) != value]
            if changed:
                pytest.fail(f"the bytes of {changed} changed: raise FORMAT in feedsim.market.kernel, then write anew")
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n")
        golden = found
    assert golden == found


@pytest.mark.parametrize("name", SESSIONS)
def test_in_parts_the_same(name: str) -> None:
    """Stepwise and in bulk, one digest."""
    assert digest(SESSIONS[name], parts=37) == digest(SESSIONS[name])


def test_the_same_without_a_compiler() -> None:
    """Plain Python, number by number, tells the same bytes as compiled code."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "error", "-m", "tests.market.digesting", "delta_divergence", "1"]
    root = Path(__file__).parents[2]
    plain = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert (plain.returncode, plain.stderr) == (0, "")
    assert plain.stdout.split() == [digest(Session(scenario="delta_divergence", seconds=1, seed=7))]
