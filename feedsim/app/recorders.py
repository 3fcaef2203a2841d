"""Taps for sessions: what a recording has to know of the session that it is of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from feedsim.config import ServeSettings
from feedsim.errors import ConfigError
from feedsim.playback.tape import Tape

if TYPE_CHECKING:
    from feedsim.recording.manifest import Header
    from feedsim.tap.tap import Tap


def open_tap(settings: ServeSettings, session_id: str, tape: Tape) -> Tap | None:
    """The recorder that the settings ask for. Raises TapError for a folder that cannot be used."""
    if not settings.tap and not settings.continue_tap:
        return None
    if settings.tap and settings.continue_tap:
        raise ConfigError("give one of tap and continue-tap", field="tap")
    from feedsim.tap.tap import Tap

    return Tap(
        Path(settings.continue_tap or settings.tap),
        header_of(session_id, tape),
        continue_=bool(settings.continue_tap),
    )


def header_of(session_id: str, tape: Tape) -> Header:
    """What a recording keeps of a session, so that the session can be made again."""
    from feedsim.recording.manifest import Header

    config: dict[str, Any] = msgspec.to_builtins(tape.config)
    return Header(
        session_id=session_id,
        symbols=tape.symbols,
        source=dict(tape.info.identity),
        config={**config, "start_ns": tape.start_ns, "end_ns": tape.end_ns if tape.limited else None},
        contracts=dict(tape.info.contracts),
    )
