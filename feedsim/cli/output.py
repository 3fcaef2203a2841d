"""Where a command's results go: a table on stdout, and files whose places are checked before the work."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from feedsim.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 150  # columns, where the output is no terminal


def check_folders(paths: Mapping[str, str]) -> None:
    """Before long work: whether its results, files by option, have a place; `-` and nothing need none.

    Raises ConfigError.
    """
    for field, path in paths.items():
        if path not in ("", "-") and not Path(path).absolute().parent.is_dir():
            raise ConfigError(f"{path}: no such folder", field=field)


def write(path: str, data: bytes, *, field: str) -> None:
    """Into a file. Raises ConfigError."""
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", field=field) from None


def write_and_say(path: str, data: bytes, *, field: str) -> None:
    """And name it on stderr. Raises ConfigError."""
    write(path, data, field=field)
    print(f"written into {path}", file=sys.stderr)


def table_console() -> Console:
    """Stdout for tables: as wide as a terminal, or as wide as they want."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDTH, file=sys.stdout)
