"""Parameter sets in files: what a calibration writes, and what `preset.SYMBOL=FILE.json` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from feedsim.errors import ConfigError
from feedsim.market.presets import Preset


class Compared(msgspec.Struct, kw_only=True):
    """One metric of a recording, of the set that was begun with, and of the fitted one."""

    metric: str
    measured: float
    before: float | None
    fitted: float | None


class Calibration(msgspec.Struct, kw_only=True):
    """A fitted parameter set, and how well it fits."""

    symbol: str
    source: str
    sessions: str
    orders: int
    """Trades in the recording, print by print."""
    quotes: int
    preset: Preset
    table: list[Compared]

    def to_json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self)) + b"\n"


def read_preset(path: Path) -> Preset:
    """The parameter set in a file. Raises ConfigError that names the file, the place and what is allowed there."""
    try:
        values: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        return msgspec.convert(values, Calibration, str_keys=True).preset
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", field="preset") from None
    except (msgspec.DecodeError, TypeError) as error:
        raise ConfigError(f"{path}: {error}", field="preset") from None
