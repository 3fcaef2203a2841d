"""Sessions as DBN files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from feedsim.app.opening import open_tape
from feedsim.config import SourceSettings
from feedsim.dbn.available import missing
from feedsim.dbn.layout import SCHEMAS
from feedsim.dbn.listing import listing_of
from feedsim.dbn.writing import writing
from feedsim.errors import ConfigError

CHUNK_ROWS = 8192


def export_dbn(
    settings: SourceSettings, path: Path, schema: str, *, on_rows: Callable[[int], None] = lambda _: None
) -> int:
    """Write one schema of a session into a file; how many records that are. `on_rows` hears how many there are yet.

    Raises ConfigError for a schema that the session does not have or a file that cannot be written, SourceError.
    """
    if schema not in SCHEMAS:
        raise ConfigError(f"{schema!r}: there are {', '.join(SCHEMAS)}", field="schema")
    tape = open_tape(settings)
    try:
        if tape.end_ns is None:
            raise ConfigError("say how long the session is to be", field="minutes")
        if lacks := missing(schema, tape.channels, tape.config.bar_tf_s):
            raise ConfigError(f"{schema}: {lacks}", field="schema")
        tape.skip_to_start()
        listing = listing_of(tape.symbols, tape.info.contracts, tape.start_ns, tape.source)
        with writing(path, schema, listing, start_ns=tape.start_ns, end_ns=tape.close_ns) as writer:
            while (chunk := tape.advance(CHUNK_ROWS)) is not None:
                writer.add(chunk)
                on_rows(writer.rows)
        return writer.rows
    finally:
        tape.close()
