"""Load plans: a TOML file of steps, each with a speed, an event rate, clients, a burst; one may be like another."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from feedsim.config import ServeSettings, load
from feedsim.errors import ConfigError
from feedsim.wire.messages import Speed

Burst = Literal["none", "open", "news"]
QUIET_START = "11:00"
OPEN_START = "09:30"
SYNTHETIC = "synthetic:"


class Step(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One load, for some time."""

    name: str
    seconds: Annotated[float, Meta(gt=0, le=3600)] = 10.0
    speed: Speed = 1.0
    rate: Annotated[float, Meta(ge=0.1, le=20)] = 1.0
    """Times the events that the synthetic market has."""
    clients: Annotated[int, Meta(ge=1, le=2000)] = 1
    burst: Burst = "none"


class Plan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """What is served, and the steps in their order."""

    steps: tuple[Step, ...]
    server: dict[str, Any] = {}
    """Settings of `feedsim serve`."""

    @property
    def source(self) -> str:
        return str(self.server.get("source", SYNTHETIC))


def read_plan(path: str, *, given_server: bool) -> Plan:
    """The plan in a file. `given_server`: it runs already, so its market cannot be chosen.

    Raises ConfigError that names the file, the field and what is allowed.
    """
    table = _read(path)
    _known(table, ("server", "step"), file=path, field="")
    server = table.get("server", {})
    if not isinstance(server, dict):
        raise ConfigError("expected a table of settings of feedsim serve", file=path, field="server")
    _check_server(server, path, given_server=given_server)
    steps = tuple(_steps(table.get("step"), path))
    plan = Plan(steps=steps, server=server)
    for at, step in enumerate(steps, 1):
        _check_step(plan, step, file=path, field=f"step {at} ({step.name})", given_server=given_server)
    return plan


def _read(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", file=path) from None


def _known(table: dict[str, Any], allowed: tuple[str, ...], *, file: str, field: str) -> None:
    for word in table:
        if word not in allowed:
            where = f"{field}.{word}" if field else word
            raise ConfigError(f"unknown word; there are: {', '.join(allowed)}", file=file, field=where)


def _check_server(server: dict[str, Any], file: str, *, given_server: bool) -> None:
    if server and given_server:
        raise ConfigError(
            "the server that was named has its own settings: leave this table away", file=file, field="server"
        )
    for taken in ("speed", "port", "wait_clients", "exit_at_end"):
        if taken in server:
            raise ConfigError("the plan's steps say this", file=file, field=f"server.{taken}")
    try:
        load(ServeSettings, given=server)
    except ConfigError as error:
        raise ConfigError(error.problem, file=file, field=f"server.{error.field}") from None


WORDS = ("like", *Step.__struct_fields__)


def _steps(tables: Any, file: str) -> Iterator[Step]:
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ConfigError("expected one [[step]] or more", file=file, field="step")
    named: dict[str, dict[str, Any]] = {}
    for at, table in enumerate(tables, 1):
        _known(table, WORDS, file=file, field=f"step {at}")
        name = table.setdefault("name", f"{at}")
        if not isinstance(name, str) or name in named:
            raise ConfigError(f"{name!r}: expected a text that no other step has", file=file, field=f"step {at}.name")
        named[name] = table
    for at, (name, table) in enumerate(named.items(), 1):
        values = {**_inherited(table, named, file=file, field=f"step {at} ({name}).like"), "name": name}
        yield _convert(values, file=file, field=f"step {at} ({name})")


def _inherited(table: dict[str, Any], named: dict[str, dict[str, Any]], *, file: str, field: str) -> dict[str, Any]:
    """A step's values and, where it does not say, those of the step that it is like."""
    chain, seen = [table], [table["name"]]
    while (like := chain[-1].get("like")) is not None:
        if like not in named:
            raise ConfigError(f"{like!r}: no such step; there are: {', '.join(named)}", file=file, field=field)
        if like in seen:
            circle = " is like ".join([*seen[seen.index(like) :], like])
            raise ConfigError(
                f"a cycle: {circle}; a step may only be like one that is not like it", file=file, field=field
            )
        chain.append(named[like])
        seen.append(like)
    values: dict[str, Any] = {}
    for each in reversed(chain):
        values.update(each)
    values.pop("like", None)
    return values


def _convert(values: dict[str, Any], *, file: str, field: str) -> Step:
    types = {item.name: item.type for item in msgspec.structs.fields(Step)}
    for word, value in values.items():
        try:
            msgspec.convert(value, types[word])
        except msgspec.ValidationError as error:
            problem = f"allowed: {', '.join(get_args(Burst))}" if word == "burst" else str(error)
            raise ConfigError(f"{value!r}: {problem}", file=file, field=f"{field}.{word}") from None
    return msgspec.convert(values, Step)


def _check_step(plan: Plan, step: Step, *, file: str, field: str, given_server: bool) -> None:
    own = {"rate": step.rate != 1, "burst": step.burst == "news"}
    for word in (word for word, asked in own.items() if asked):
        where = f"{field}.{word}"
        if given_server:
            problem = "the market of a server that runs already cannot be changed: name none, and one is started"
            raise ConfigError(problem, file=file, field=where)
        if not plan.source.startswith(SYNTHETIC):
            raise ConfigError(f"only {SYNTHETIC} can be changed so, not {plan.source}", file=file, field=where)
        if "scenario" in plan.server:
            raise ConfigError("this makes a scenario of its own: leave server.scenario away", file=file, field=where)


def scenario_of(step: Step) -> str | None:
    """A scenario file's text for what the step asks of the market; None where it asks nothing."""
    lines = [f"always = {{ act_mult = {step.rate} }}"] if step.rate != 1 else []
    if step.burst == "news":
        lines.append(f"news = [{{ at = {min(3.0, step.seconds / 4) * _pace(step) / 60:.6f} }}]")
    return "\n".join(lines) if lines else None


def _pace(step: Step) -> float:
    return 1.0 if step.speed == "max" else float(step.speed)


def arguments_of(plan: Plan, step: Step, *, config: str, scenario: str | None) -> list[str]:
    """Of `feedsim serve`, for one step. `config` is a file with the plan's settings of the server."""
    arguments = ["--config", config, "--speed", f"{step.speed}", "--wait-clients", str(step.clients)]
    if scenario is not None:
        arguments += ["--scenario", scenario]
    if step.burst == "open":
        arguments += ["--start", OPEN_START]
    elif plan.source.startswith(SYNTHETIC) and "start" not in plan.server:
        arguments += ["--start", QUIET_START]
    return arguments
