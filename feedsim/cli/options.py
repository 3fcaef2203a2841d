"""Command line options made from settings: each setting is defined once, in `feedsim.config`."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
import typer

from feedsim.config import load, parse_table, parse_text

S = TypeVar("S", bound=msgspec.Struct)

_SHORT = {"option": "-O", "config": "-c"}


def from_settings(settings: type[S]) -> Callable[[Callable[[S], None]], Callable[..., None]]:
    """Turn a function of settings into a command with an option for each; `source` is its argument.

    Values come from defaults < --config FILE < FEEDSIM_… < command line.
    """

    def decorate(function: Callable[[S], None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(**given: Any) -> None:
            file = given.pop("config", None)
            values = {name: _value(settings, name, value) for name, value in given.items() if value is not None}
            function(load(settings, given=values, file=file, environ=os.environ))

        parameters = [_parameter(field) for field in msgspec.structs.fields(settings)]
        parameters.append(_named("config", str, "a TOML file with these settings"))
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # typer reads it
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate


def _parameter(field: msgspec.structs.FieldInfo) -> inspect.Parameter:
    about = _description(field.type)
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if field.name == "source":
        annotation = Annotated[str | None, typer.Argument(help=f"{about[0].upper()}{about[1:]}", show_default=False)]
        return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
    if isinstance(default, bool):
        return _named(field.name, bool, f"{about} [{'yes' if default else 'no'}]")
    if isinstance(default, dict):
        return _named(field.name, list[str], f"{about}; may be repeated")
    if isinstance(default, tuple):
        return _named(field.name, str, f"{about}, separated by commas [{','.join(map(str, default)) or 'none'}]")
    shown = f" [{default:g}]" if isinstance(default, float) else f" [{default}]" if default not in ("", None) else ""
    return _named(field.name, str, about + shown)


def _named(name: str, kind: Any, help: str) -> inspect.Parameter:
    flags = [f"--{name.replace('_', '-')}"]
    if kind is bool:
        flags[0] += f"/--no-{name.replace('_', '-')}"
    if name in _SHORT:
        flags.append(_SHORT[name])
    option = typer.Option(*flags, help=help, show_default=False, metavar=None if kind is bool else name.upper())
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _value(settings: type[msgspec.Struct], name: str, value: Any) -> Any:
    """A setting from what the command line parser gives: text, a list of name=value, or a flag."""
    field = next(field for field in msgspec.structs.fields(settings) if field.name == name)
    if isinstance(value, list):
        return parse_table(value, field=name)
    return parse_text(field, value) if isinstance(value, str) else value


def _description(hint: Any) -> str:
    """The text of a setting's Meta."""
    if get_origin(hint) is Annotated:
        for meta in get_args(hint)[1:]:
            if isinstance(meta, msgspec.Meta) and meta.description:
                return meta.description
    raise TypeError(f"{hint} has no description")
