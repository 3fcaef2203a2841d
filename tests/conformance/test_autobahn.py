"""RFC 6455 by the Autobahn|Testsuite against the server's own listener, compared with what is known of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import REPOSITORY

KNOWN: dict[str, tuple[str, str]] = json.loads(Path(__file__).with_name("autobahn.json").read_text())
"""Cases that are not passed, with the verdict and why."""
CASES = 247
LEFT_OUT = ["9.*", "12.*", "13.*"]  # speed, and compression, which is not offered
PASSED = ("OK", "NON-STRICT")  # which of the two depends on how TCP cuts the bytes
SUITE = os.environ.get("FEEDSIM_WSTEST") or shutil.which("wstest", path=str(REPOSITORY / ".autobahn" / "bin"))


@pytest.mark.full
@pytest.mark.skipif(SUITE is None, reason="no wstest: `make autobahn` sets it up where there is a CPython 2.7")
def test_the_listener_keeps_to_the_standard(tmp_path: Path) -> None:
    """All 247 cases but those that are known, each with its reason, and no worse than known."""
    assert SUITE is not None
    command = [sys.executable, "-m", "tests.conformance.echo"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=REPOSITORY) as server:
        try:
            assert server.stdout is not None
            verdicts = run_suite(f"ws://127.0.0.1:{int(server.stdout.readline())}", tmp_path)
        finally:
            server.kill()
    assert len(verdicts) == CASES
    failed = {case: verdict for case, verdict in verdicts.items() if verdict not in PASSED}
    assert failed == {case: verdict for case, (verdict, _) in KNOWN.items() if case in failed}


def run_suite(url: str, folder: Path) -> dict[str, str]:
    """The verdict of each case: the worse of those on behaviour and on closing."""
    spec = {
        "outdir": str(folder / "reports"),
        "servers": [{"agent": "feedsim", "url": url}],
        "cases": ["*"],
        "exclude-cases": LEFT_OUT,
        "exclude-agent-cases": {},
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    command = [str(SUITE), "--mode", "fuzzingclient", "--spec", str(folder / "spec.json")]
    # The suite is another Python's: nothing of this one's may be seen by it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=100)
    assert run.returncode == 0, run.stdout + run.stderr
    index = json.loads((folder / "reports" / "index.json").read_text())["feedsim"]
    return {case: worse(found["behavior"], found["behaviorClose"]) for case, found in index.items()}


def worse(behaviour: str, closing: str) -> str:
    if behaviour in PASSED and closing != "OK":
        return "FAILED" if closing in ("FAILED", "WRONG CODE", "UNCLEAN") else str(closing)
    return behaviour
