"""Where the market's compiled code is kept: in the user's cache folder, never in the package, or nowhere."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import feedsim

PROBE_BYTES = 2 << 20  # about what the compiled market needs


def user_folder() -> Path:
    """Where the user has compiled code kept: NUMBA_CACHE_DIR, or the platform's cache folder."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "feedsim"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/feedsim"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "feedsim"


def market_folder() -> Path:
    """The folder for this version of the market.

    Its sources are in the name, because numba asks only of the file of the function that was called whether it changed.
    """
    sources = hashlib.sha256()
    for path in sorted((Path(feedsim.__file__).parent / "market").glob("*.py")):
        sources.update(path.read_bytes())
    return user_folder() / f"numba-{feedsim.__version__}-{sources.hexdigest()[:12]}"


@contextmanager
def kept() -> Iterator[None]:
    """Functions that are decorated inside are kept in `market_folder`; where it cannot be written, a warning is logged.

    numba's own setting is put back afterwards, so that functions of the user's are kept where they were.
    """
    from numba.core import config

    settings: Any = config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = _writable_folder()
    try:
        yield
    finally:
        settings.CACHE_DIR = before


def _writable_folder() -> str:
    """As text; empty if nothing can be kept there."""
    folder = market_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
    except OSError as error:
        logging.getLogger(__name__).warning(
            "%s: %s; the market is compiled anew at every start, which takes some seconds", folder, error.strerror
        )
        return ""
    return str(folder)
