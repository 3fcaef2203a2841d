"""Makers of sessions for tests: a file instead of a market, and what can go wrong with one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from feedsim.config import SourceSettings
from feedsim.errors import FeedsimError

FAILING = "fail"
DYING = "die"


def write_seed(settings: SourceSettings, out: Path) -> dict[str, Any]:
    """A session is its seed in a file, in a folder of its own."""
    (out / "l1").mkdir(parents=True)
    (out / "l1" / "rows").write_text(str(settings.seed))
    return {"events": settings.seed % 1000}


def write_some(settings: SourceSettings, out: Path) -> dict[str, Any]:
    """Fails, or ends the process, after half of the work where a file of that name lies beside all sessions."""
    facts = write_seed(settings, out)
    folder = out.parents[1]
    if out.name == "000002" and (folder.parent / FAILING).exists():
        raise FeedsimError("no space left")
    if out.name == "000002" and (folder.parent / DYING).exists():
        os._exit(9)
    return facts
