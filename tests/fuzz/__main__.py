"""Fuzz one target: `python -m tests.fuzz TARGET SECONDS FOLDER…`; new inputs go into the first folder.

Coverage guides the search where there is atheris, which instruments the rooms that the target is of.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore] # ships no types, and is not everywhere

ROOMS = ["feedsim.wire", "feedsim.config", "feedsim.sources", "feedsim.recording", "tests.fuzz.targets"]
LONGEST = 1 << 16  # bytes of an input
SLOWEST_S = 20

with atheris.instrument_imports(include=ROOMS):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    target, seconds, *folders = sys.argv[1:]
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOWEST_S}", "-rss_limit_mb=4096"]
    with atheris.instrument_imports(include=ROOMS):
        test = TARGETS[target]()
    atheris.Setup([sys.argv[0], *options, *folders], test)
    atheris.Fuzz()
