"""The options of `synthetic:` as words: `leadership=balanced`, `vix=20`, `price.ES=6500`, `preset.ES=es_2025`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from feedsim.errors import ConfigError
from feedsim.market.config import MarketConfig
from feedsim.market.preset_file import read_preset
from feedsim.market.presets import Preset
from feedsim.market.scenario import Scenario
from feedsim.market.scenario_file import read_scenario


def _preset(text: str) -> str | Preset:
    """A name, or what `feedsim calibrate` wrote into a file."""
    return read_preset(Path(text)) if text.endswith(".json") else text


_NUMBERS: dict[str, Callable[[str], float]] = {
    "strength": float,
    "lag_ms": float,
    "vix": float,
    "lot_scale": float,
    "lot_spread": float,
    "l2_interval_ms": int,
}
_BY_SYMBOL: dict[str, tuple[str, Callable[[str], Any]]] = {
    "price": ("prices", float),
    "tick": ("ticks", float),
    "preset": ("presets", _preset),
}


def market_config(scenario: str, symbols: tuple[str, ...], options: dict[str, str]) -> MarketConfig:
    """The market that a scenario's name (or TOML file) and options describe. Raises ConfigError."""
    given: dict[str, Any] = {}
    for name, text in options.items():
        kind, _, symbol = name.partition(".")
        if name in _NUMBERS:
            given[name] = _number(name, text, _NUMBERS[name])
        elif name == "leadership":
            given[name] = text
        elif name == "legacy_halt":
            given[name] = _yes_or_no(name, text)
        elif kind in _BY_SYMBOL and symbol:
            field, convert = _BY_SYMBOL[kind]
            given.setdefault(field, {})[symbol] = _number(name, text, convert)
        else:
            there = ", ".join((*_NUMBERS, "leadership", "legacy_halt", *(f"{kind}.<symbol>" for kind in _BY_SYMBOL)))
            raise ConfigError(f"this source has no such option; it has: {there}", field=name)
    return MarketConfig(scenario=find(scenario), symbols=symbols, **given)


def find(scenario: str) -> str | Scenario:
    """The name of a scenario, or what a TOML file holds."""
    return read_scenario(Path(scenario)) if scenario.endswith(".toml") else scenario


def _yes_or_no(name: str, text: str) -> bool:
    if text not in ("yes", "no"):
        raise ConfigError(f"{text!r}: expected yes or no", field=f"option {name}")
    return text == "yes"


def _number(name: str, text: str, convert: Callable[[str], Any]) -> Any:
    try:
        return convert(text)
    except ValueError:
        what = "a whole number" if convert is int else "a number"
        raise ConfigError(f"{text!r}: expected {what}", field=f"option {name}") from None
