"""The live session's reactions beside its recording, a line for each order, as they come."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import msgspec
import structlog

from feedsim.wire.reactions import FILE, Reaction

log = structlog.get_logger()


class ReactionFile:
    """Appends to a file in a folder, which it opens at the first row. One that cannot be written costs only itself."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._file: TextIO | None = None
        self._encode = msgspec.json.Encoder().encode
        self._failed = False

    def append(self, row: Reaction) -> None:
        """Keep a row of the live session; private ones are not recorded."""
        if row.session != "live" or self._failed:
            return
        try:
            if self._file is None:
                self._file = self.path.open("a", encoding="utf-8", buffering=1)  # a killed server loses none
            self._file.write(self._encode(row).decode() + "\n")
        except OSError as error:
            self._failed = True
            log.error("reactions are not recorded any more", file=str(self.path), error=str(error))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
