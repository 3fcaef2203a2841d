"""Make the tables of docs/scenarios.md anew, and its pictures by the commands that it shows: `make pictures`.

Names of scenarios as arguments make only those pictures.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.docs.scenario_page import PAGE, REPOSITORY, commands, with_tables


def main(names: list[str], page: Path = PAGE) -> int:
    """How many pictures could not be made. Raises SystemExit for a name that the page does not have."""
    text = with_tables(page.read_text("utf-8"))
    shown = commands(text)
    if unknown := [name for name in names if name not in shown]:
        sys.exit(f"{', '.join(unknown)}: not in {page.name}; it has {', '.join(shown)}")
    page.write_text(text, "utf-8")
    failed = 0
    for name in names or shown:
        failed += not _draw(name, shown[name])
    return failed


def _draw(name: str, command: str) -> bool:
    """Run a command of the page with this Python; what it prints of the source is not wanted."""
    words = shlex.split(command)[1:]
    picture = REPOSITORY / words[words.index("--plot") + 1]
    picture.parent.mkdir(exist_ok=True)
    run = subprocess.run(
        [sys.executable, "-m", "feedsim", *words],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.stderr.write(f"{name}: {run.stderr.strip()}\n")
        return False
    sys.stdout.write(f"{picture.name}  {picture.stat().st_size / 1000:.0f} kB\n")
    sys.stdout.flush()
    return True


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
