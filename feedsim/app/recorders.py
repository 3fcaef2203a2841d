"""Taps for sessions: what a recording has to know of the session that it is of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from feedsim.config import ServeSettings
from feedsim.errors import ConfigError, TapError
from feedsim.playback.tape import Tape

if TYPE_CHECKING:
    from feedsim.recording.manifest import Header
    from feedsim.tap.tap import Tap


def open_tap(settings: ServeSettings, session_id: str, tape: Tape) -> Tap | None:
    """The recorder that the settings ask for. Raises ConfigError for a folder that cannot be used."""
    if not settings.tap and not settings.continue_tap:
        return None
    if settings.tap and settings.continue_tap:
        raise ConfigError("give one of tap and continue-tap", field="tap")
    header = header_of(session_id, tape)
    if settings.continue_tap:
        return tap_into(Path(settings.continue_tap), header, field="continue_tap", continue_=True)
    return tap_into(Path(settings.tap), header, field="tap")


def tap_into(directory: Path, header: Header, *, field: str, continue_: bool = False) -> Tap:
    """A recorder into the folder that the setting `field` names. Raises ConfigError where it cannot be used."""
    from feedsim.tap.tap import Tap

    try:
        return Tap(directory, header, continue_=continue_)
    except TapError as error:
        raise ConfigError(str(error), field=field) from None


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
