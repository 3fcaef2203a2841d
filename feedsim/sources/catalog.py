"""From the word that a user gives for a source to the source: `synthetic:…` or a path, by what lies there."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from feedsim.errors import ConfigError, SourceError
from feedsim.sources.base import Source

KINDS = (
    "a feedsim recording, a Parquet export folder, Sierra chart files (.jsonl), DBN (.dbn, .dbn.zst)"
    " or CSV (.csv, also .gz and .zst)"
)


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What the synthetic market needs to know; files bring their own."""

    scenario: str = "normal"
    seed: int = 0
    symbols: tuple[str, ...] = ("ES", "NQ")
    start_ns: int | None = None
    minutes: float | None = None


def open_source(spec: str, *, market: Market | None = None, options: Mapping[str, str] | None = None) -> Source:
    """The source that `spec` names.

    Raises SourceError for a path where nothing is that can be replayed, ConfigError for options that it does not have.
    """
    options = dict(options or {})
    if spec.startswith("synthetic:"):
        return _synthetic(spec, market or Market(), options)
    path = Path(spec)
    if not path.exists():
        raise SourceError("no such file or folder", file=spec)
    return _from_path(path, options)


def reopen(identity: Mapping[str, Any], *, path: str | None = None) -> Source:
    """The source that another source's `info.identity` describes; `path` says where it is now, if it has moved.

    An identity of files has `kind`, `path`, `options` (as `open_source` takes them) and what tells that they changed.
    Raises SourceError where it is not there, or is not what it was.
    """
    if identity["kind"] == "synthetic":
        from feedsim.sources.synthetic import SyntheticSource

        return SyntheticSource.reopen(identity)
    where = path or str(identity["path"])
    source = open_source(where, options=identity.get("options"))
    changed = [
        name
        for name, value in source.info.identity.items()
        if name not in ("path", "options") and identity.get(name) != value
    ]
    if changed:
        source.close()
        raise SourceError(f"this is not what was recorded: it differs in {', '.join(changed)}", file=where)
    return source


# Each kind's module tells whether a path is of its kind; those that load little are asked first.
_MODULES = {"sierra": "sierra.files", "dbn": "dbn.files", "csv": "delimited", "recording": "recording", "seed": "seed"}


def kind_of(path: Path) -> str | None:
    """The kind of source at a path: recording, seed, sierra, dbn or csv; None where there is none."""
    for kind, name in _MODULES.items():
        if import_module(f"feedsim.sources.{name}").recognise(path):
            return kind
    return None


def _synthetic(spec: str, market: Market, options: dict[str, str]) -> Source:
    from feedsim.sources.market_options import market_config
    from feedsim.sources.synthetic import SyntheticSource

    mbo = _take_flag(options, "mbo")
    config = market_config(spec.removeprefix("synthetic:") or market.scenario, market.symbols, options)
    chosen = {} if market.start_ns is None else {"start_ns": market.start_ns}
    return SyntheticSource(spec, config=config, seed=market.seed, minutes=market.minutes, mbo=mbo, **chosen)


def _from_path(path: Path, options: dict[str, str]) -> Source:
    kind = kind_of(path)
    if kind == "recording":
        from feedsim.sources.recording import RecordingSource

        epoch = _take_number(options, "epoch", default=0) or None
        _refuse_rest(options, allowed=("epoch",))
        return RecordingSource(path, epoch=epoch)
    if kind == "seed":
        from feedsim.sources.seed import SeedSource

        _refuse_rest(options, allowed=())
        return SeedSource(path)
    if kind == "sierra":
        from feedsim.sources.sierra.source import SierraSource

        offset = options.pop("chart_utc_offset_s", None)
        _refuse_rest(options, allowed=("chart_utc_offset_s",))
        return SierraSource(path, chart_utc_offset_s=None if offset is None else _number("chart_utc_offset_s", offset))
    if kind == "dbn":
        from feedsim.sources.dbn.source import DbnSource

        _refuse_rest(options, allowed=())
        return DbnSource(path)
    if kind == "csv":
        return _delimited(path, options)
    raise SourceError(f"nothing here that can be replayed; expected {KINDS}", file=str(path))


def _delimited(path: Path, options: dict[str, str]) -> Source:
    from feedsim.sources.delimited import DelimitedSource

    named = {name: options.pop(name) for name in ("symbol", "time_unit", "kind") if name in options}
    columns = {name.removeprefix("column."): options.pop(name) for name in list(options) if name.startswith("column.")}
    _refuse_rest(options, allowed=("symbol", "time_unit", "kind", "column.<field>"))
    return DelimitedSource(path, columns, **named)


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{text!r}: expected a whole number", field=f"option {name}") from None


def _take_number(options: dict[str, str], name: str, *, default: int) -> int:
    return _number(name, options.pop(name)) if name in options else default


def _take_flag(options: dict[str, str], name: str) -> bool:
    text = options.pop(name, "no")
    if text not in ("yes", "no"):
        raise ConfigError(f"{text!r}: expected yes or no", field=f"option {name}")
    return text == "yes"


def _refuse_rest(options: dict[str, str], *, allowed: tuple[str, ...]) -> None:
    for name in options:
        raise ConfigError(f"this source has no such option; it has: {', '.join(allowed) or 'none'}", field=name)
