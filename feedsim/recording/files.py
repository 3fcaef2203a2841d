"""Files that are whole or absent, and folders that only one process writes."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
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


def make_folder(path: Path) -> None:
    """Make a folder, and its parents where they are not there; the new entries are durable."""
    if not path.is_dir():
        if path.parent != path:
            make_folder(path.parent)
        try:
            path.mkdir(exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
        sync_folder(path.parent)


def lock(path: Path) -> IO[bytes]:
    """Take a lock file for as long as the returned file is open. Raises TapError where another process has it."""
    file = path.open("ab")
    try:
        _lock(file)
        # Who had it may have removed the file between our opening and our locking it: then we hold nothing.
        if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
            raise FileNotFoundError
    except OSError:
        file.close()
        raise TapError(f"{path.parent.parent}: another process is recording into this folder") from None
    return file


def remove_locked(folder: Path, held: IO[bytes]) -> None:
    """Remove the folder of a lock that is held, with all in it; nobody can have the lock before it is gone."""
    own = Path(held.name)
    for path in folder.iterdir():
        if path != own:
            path.unlink()
    if os.name == "nt":
        held.close()  # an open file cannot be removed there
    own.unlink(missing_ok=True)
    held.close()
    with suppress(OSError):  # somebody is already here again
        folder.rmdir()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
