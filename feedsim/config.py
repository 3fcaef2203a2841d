"""Settings: one definition of each, filled from defaults < TOML file < environment (FEEDSIM_…) < command line.

Every error names where the value came from, the field and what is allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta

from feedsim.errors import ConfigError

# Far beyond what a market or a machine can do, and within what arithmetic on nanoseconds can.
LEAST_SPEED, MOST_SPEED = 0.001, 1_000_000

Speed = Literal["max"] | Annotated[float, Meta(ge=LEAST_SPEED, le=MOST_SPEED)]
Port = Annotated[int, Meta(ge=0, le=65535)]
SierraLayout = Literal["type", "chart", "unified"]
SierraKeys = Literal["superset", "recorded"]
SierraQuirk = Literal["local_time", "swapped_bands", "no_level_2", "divided_prices", "again", "vix_without_sym"]
S = TypeVar("S", bound=msgspec.Struct)

ENV_PREFIX = "FEEDSIM_"


def _about(text: str, **limits: Any) -> Meta:
    return Meta(description=text, **limits)


class SourceSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is replayed."""

    source: Annotated[str, _about("a path (recording, Parquet export, Sierra chart files, CSV) or synthetic:")] = (
        "synthetic:"
    )
    scenario: Annotated[str, _about("what the synthetic market does")] = "normal"
    seed: Annotated[int, _about("of the synthetic market: same seed, same bytes", ge=0, le=2**63 - 1)] = 0
    symbols: Annotated[tuple[str, ...], _about("symbols of the synthetic market")] = ("ES", "NQ")
    start: Annotated[str, _about("ISO time (New York time without an offset), or HH:MM of the source's first day")] = ""
    minutes: Annotated[float, _about("length of the session; 0: to the source's end, or without end", ge=0)] = 0
    warmup_minutes: Annotated[float, _about("of market before the start, for history and session VWAP", ge=0)] = 0
    option: Annotated[dict[str, str], _about("name=value for the source, as its page in the docs says")] = {}
    bar_tf_s: Annotated[tuple[int, ...], _about("lengths of the bars in seconds")] = (1, 60)
    footprint_tf_s: Annotated[tuple[int, ...], _about("lengths of the footprints in seconds")] = (60,)
    flat_bars: Annotated[bool, _about("send a bar of volume 0 where nothing traded")] = True
    features_every_s: Annotated[int, _about("seconds between rows of leadership features; 0: none", ge=0)] = 1


class PaceSettings(SourceSettings, kw_only=True, forbid_unknown_fields=True):
    """And how fast."""

    speed: Annotated[Speed, _about("times real time, or max")] = 1.0
    loop: Annotated[bool, _about("begin again at the end, in a new epoch")] = False
    closed: Annotated[Literal["jump", "wait"], _about("closed hours are jumped over, or waited for")] = "jump"


FillName = Literal["queue", "touch", "cross", "optimistic", "pessimistic"]


class TradeSettings(PaceSettings, kw_only=True, forbid_unknown_fields=True):
    """And how orders fill, how long they take, and what an account may do. Money in dollars."""

    orders: Annotated[bool, _about("clients may trade")] = True
    fill: Annotated[FillName, _about("when a resting order fills")] = "queue"
    impact: Annotated[
        Literal["private", "shared", "none"],
        _about("where orders enter the synthetic market itself: private sessions, the shared one too, nowhere"),
    ] = "private"
    cancels: Annotated[
        Literal["", "share", "behind"],
        _about("whose cancelled lots were: share of the queue, or always behind; default: by the source"),
    ] = ""
    latency_in: Annotated[str, _about("until an order takes effect: 0, 2ms, lognormal:2ms:0.5, feed:2ms:500, …")] = "0"
    latency_out: Annotated[str, _about("until its owner hears of it: 0, 2ms, lognormal:2ms:0.5, …")] = "0"
    venue: Annotated[str, _about("a TOML file of fees, margins and limits instead of feedsim's own")] = ""
    balance: Annotated[float, _about("dollars that an account begins with", gt=0, le=1e12)] = 100_000.0
    max_position: Annotated[int, _about("lots a symbol, open orders included; 0: no limit", ge=0)] = 0
    max_orders: Annotated[int, _about("open orders an account", ge=1, le=10_000)] = 500
    orders_per_s: Annotated[int, _about("requests an account and second of session; 0: no limit", ge=0)] = 200
    daily_loss: Annotated[float, _about("dollars lost in a session that close an account; 0: no limit", ge=0)] = 0
    keep_account: Annotated[bool, _about("positions and cash outlive a seek, a loop and the end")] = False


class BridgeSettings(TradeSettings, kw_only=True, forbid_unknown_fields=True):
    """And what else follows it than WebSocket clients."""

    sierra: Annotated[str, _about("write Sierra Chart files into this folder, as the live bot reads them")] = ""
    sierra_layout: Annotated[tuple[SierraLayout, ...], _about("files by type, by chart, or unified")] = (
        "type",
        "chart",
        "unified",
    )
    sierra_keys: Annotated[SierraKeys, _about("recorded: the study's own; superset: every reader's")] = "superset"
    sierra_charts: Annotated[dict[str, int], _about("name=number of charts: a symbol's, vix, levels")] = {}
    sierra_quirks: Annotated[tuple[SierraQuirk, ...], _about("faults of the real feed")] = ()
    sierra_utc_offset_s: Annotated[int, _about("of the charts' clock, for local_time", ge=-50_400, le=50_400)] = 7200
    sierra_pace: Annotated[bool, _about("write at most 50 lines in any 100 ms")] = True
    dtc_es: Annotated[Port | None, _about("port for DTC clients of ES; 0 takes a free one")] = None
    dtc_nq: Annotated[Port | None, _about("port for DTC clients of NQ; 0 takes a free one")] = None
    stdout: Annotated[bool, _about("write every event as a JSON line on stdout")] = False
    tap_dbn: Annotated[str, _about("write the live session into this new folder as DBN files, one a schema")] = ""
    databento: Annotated[Port | None, _about("port of a Databento live gateway; 0 takes a free one")] = None
    databento_key: Annotated[str, _about("the only API key that the gateway lets in; any if empty")] = ""


class ServeSettings(BridgeSettings, kw_only=True, forbid_unknown_fields=True):
    """And to whom."""

    host: Annotated[str, _about("address to listen on")] = "127.0.0.1"
    port: Annotated[int, _about("port; 0 takes a free one", ge=0, le=65535)] = 8765
    rebase: Annotated[Literal["", "now"], _about("now: shift all times so that the session happens now")] = ""
    coalesce: Annotated[float, _about("ms: what is due within this time leaves together", ge=0, le=1000)] = 0
    tap: Annotated[str, _about("record the live session into this new folder")] = ""
    continue_tap: Annotated[str, _about("go on recording in this folder, after a restart, where it ended")] = ""
    lockstep: Annotated[bool, _about("the clock waits until every client has dealt with what it was told")] = False
    step_ms: Annotated[int, _about("lock-step: session time that an ack lets pass, in ms", ge=1, le=60_000)] = 100
    think_s: Annotated[float, _about("lock-step: seconds that a client may think; 0: for ever", ge=0)] = 30.0
    wait_clients: Annotated[int, _about("hold the live clock until so many clients have subscribed", ge=0)] = 0
    exit_at_end: Annotated[bool, _about("leave when the session is over")] = False
    control: Annotated[Literal["private", "all"], _about("all: every client may control the live session")] = "private"
    offer: Annotated[dict[str, str], _about("name=SOURCE that clients may open private sessions of")] = {}
    token: Annotated[str, _about("clients must show this token")] = ""
    origin: Annotated[tuple[str, ...], _about("web origins that may connect, besides this machine's; * for all")] = ()
    max_clients: Annotated[int, _about("clients at once", ge=1)] = 2000
    max_sessions: Annotated[int, _about("private sessions at once", ge=0)] = 8
    ring_mib: Annotated[float, _about("memory of each session's ring, in MiB", ge=0.0625, le=4096)] = 12.0
    log: Annotated[Literal["text", "json"], _about("how the log is written, on stderr")] = "text"


def load(
    settings: type[S],
    *,
    given: Mapping[str, Any],
    file: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> S:
    """Settings from all places. `given` are the command line's values; absent ones are left to the other places.

    Raises ConfigError.
    """
    values: dict[str, Any] = {}
    if file is not None:
        _merge(settings, values, _read_toml(file), origin=file)
    _merge(settings, values, _from_environment(settings, environ or {}), origin="environment")
    _merge(settings, values, given, origin="command line")
    return msgspec.convert(values, settings, strict=False)


def _merge(settings: type[msgspec.Struct], values: dict[str, Any], new: Mapping[str, Any], *, origin: str) -> None:
    """Add one place's values, each checked by itself so that an error can name it."""
    types = {field.name: field.type for field in msgspec.structs.fields(settings)}
    for name, value in new.items():
        if name not in types:
            raise ConfigError(f"unknown setting; there are: {', '.join(sorted(types))}", file=origin, field=name)
        try:
            values[name] = msgspec.convert(value, types[name], strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{value!r}: {_explain(error, types[name])}", file=origin, field=name) from None


def _explain(error: msgspec.ValidationError, wanted: Any) -> str:
    """What is wrong; where only some words are allowed, which."""
    parts = list(_parts(wanted))
    words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
    if not words:
        return str(error)
    other = f" or a number from {LEAST_SPEED:g} to {MOST_SPEED:,}" if float in parts else ""
    return f"allowed: {', '.join(word or '(nothing)' for word in words)}{other}"


def _parts(hint: Any) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield hint
    if get_origin(hint) is not Literal:
        for part in get_args(hint):
            yield from _parts(part)


def _read_toml(file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(file).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", file=file) from None


def _from_environment(settings: type[msgspec.Struct], environ: Mapping[str, str]) -> dict[str, Any]:
    """FEEDSIM_<FIELD>; lists are separated by commas, tables are a,b of name=value."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(settings):
        text = environ.get(ENV_PREFIX + field.name.upper())
        if text is not None:
            found[field.name] = parse_text(field, text)
    return found


def parse_text(field: msgspec.structs.FieldInfo, text: str) -> Any:
    """A setting's value from one text, as the environment has it."""
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(default, dict):
        return parse_table([part for part in text.split(",") if part.strip()], field=field.name)
    return text


def parse_table(pairs: list[str], *, field: str) -> dict[str, str]:
    """name=value texts as a table. Raises ConfigError."""
    table: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{pair!r}: write it as name=value", field=field)
        table[name.strip()] = value.strip()
    return table
