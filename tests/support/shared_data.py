"""Recorded market data beside the repository, which is nobody's to publish: where it is, or why a test is skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("FEEDSIM_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
SIERRA = FOLDER / "sierra"
DBN = FOLDER / "dbn"
SEED_EXPORT = FOLDER / "seed-export"

needs_sierra = pytest.mark.skipif(not SIERRA.is_dir(), reason=f"no recorded chart files at {SIERRA}")
needs_dbn = pytest.mark.skipif(not DBN.is_dir(), reason=f"no recorded DBN files at {DBN}")
needs_seed_export = pytest.mark.skipif(not SEED_EXPORT.is_dir(), reason=f"no recorded export at {SEED_EXPORT}")
