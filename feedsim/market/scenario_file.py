"""A user's own scenario: a TOML file in the words of market/scenario.py."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from feedsim.errors import ConfigError
from feedsim.market.scenario import Scenario


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises ConfigError that names the file, the place and what is allowed there."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", field="scenario") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", field="scenario") from None
    values.setdefault("name", path.stem)
    values.setdefault("about", f"the scenario of {path.name}")
    try:
        return msgspec.convert(values, Scenario)
    except (msgspec.ValidationError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}", field="scenario") from None
