"""What `feedsim generate` makes: one session or many, as recordings or as exports for pandas."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from feedsim.config import SourceSettings
from feedsim.errors import ConfigError

if TYPE_CHECKING:
    from feedsim.mia.session import Session

PREFIX = "synthetic:"
Format = Literal["recording", "seed"]
Facts = dict[str, Any]


def make_one(settings: SourceSettings, out: Path, *, format: Format) -> None:
    """One session, into the folder itself."""
    if format == "recording":
        from feedsim.app.making import make_recording

        asyncio.run(make_recording(settings, out))
        return
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(f"{out}: the folder is not empty: name a new one", field="out")
    export(settings, out)


def make_many(settings: SourceSettings, out: Path, *, format: Format, sessions: int, jobs: int, shard: str) -> None:
    """Each session in a folder of its own, in that folder."""
    from feedsim.app.bulk import Order, make_sessions, parse_shard

    if not settings.source.startswith(PREFIX):
        raise ConfigError(f"{settings.source} is one session; only the synthetic market has many", field="sessions")
    if not settings.minutes:
        raise ConfigError("say how long a session is", field="minutes")
    number, of = parse_shard(shard)
    order = Order(settings=settings, out=out, sessions=sessions, shard=number, shards=of, jobs=jobs)
    make, facts = (record, _of_recording) if format == "recording" else (export, _of_export)
    make_sessions(order, make, {"format": format, **facts(settings)})


def record(settings: SourceSettings, out: Path) -> Facts:
    """A recording: its events and their digest."""
    from feedsim.app.making import write_recording
    from feedsim.recording.manifest import read_manifest

    events = asyncio.run(write_recording(settings, out))
    return {"events": events, "digest": read_manifest(out).epochs[-1].digest}


def export(settings: SourceSettings, out: Path) -> Facts:
    """An export: its rows by table."""
    from feedsim.mia.export import export_session

    return {"rows": export_session(_session(settings), out)}


def _of_recording(settings: SourceSettings) -> Facts:
    """What fixes a recording, but for its seed."""
    from feedsim.app.opening import open_tape

    tape = open_tape(settings)
    tape.close()
    config = {**msgspec.to_builtins(tape.config), "start_ns": tape.start_ns, "end_ns": tape.end_ns}
    return {"source": _without_seed(tape.info.identity), "tape": config}


def _of_export(settings: SourceSettings) -> Facts:
    session = _session(settings)
    return {"source": _without_seed(session.open().info.identity), "bar_tf_s": session.bar_tf_s}


def _without_seed(identity: Mapping[str, Any]) -> Facts:
    return {name: value for name, value in identity.items() if name != "seed"}


def _session(settings: SourceSettings) -> Session:
    """The session that settings describe, as tables. Raises ConfigError."""
    from feedsim.app.opening import market_start
    from feedsim.mia import checks
    from feedsim.mia.session import Session
    from feedsim.sources.market_options import market_config

    if not settings.source.startswith(PREFIX):
        raise ConfigError("only the synthetic market is made in this format", field="format")
    if settings.warmup_minutes:
        raise ConfigError(f"{settings.warmup_minutes:g}: this format has none", field="warmup_minutes")
    if not settings.bar_tf_s:
        raise ConfigError("none: this format has bars of one length", field="bar_tf_s")
    scenario = settings.source.removeprefix(PREFIX) or settings.scenario
    start_ns = market_start(settings)
    length_ns = checks.duration_of(settings.minutes, start_ns=start_ns)
    return Session(
        market=market_config(scenario, settings.symbols, settings.option),
        seed=settings.seed,
        start_ns=start_ns,
        length_ns=length_ns,
        bar_tf_s=checks.bar_length(settings.bar_tf_s[0], length_ns=length_ns),
    )
