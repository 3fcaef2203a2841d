"""Files that are whole or absent, and folders that only one process writes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from feedsim.errors import TapError


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable. Windows does that by itself and cannot be asked."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` in place of a file: after a crash at any time it is the old file or the new one."""
    tmp = path.with_name(f".{path.name}.tmp")
    try:
        with tmp.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        tmp.replace(path)
    except OSError:
        tmp.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def lock(path: Path) -> IO[bytes]:
    """Take a lock file for as long as the returned file is open. Raises TapError where another process has it."""
    file = path.open("ab")
    try:
        _lock(file)
    except OSError:
        file.close()
        raise TapError(f"{path.parent.parent}: another process is recording into this folder") from None
    return file


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
