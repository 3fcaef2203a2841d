"""Settings: which place wins, and errors that name the place, the field and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.config import PaceSettings, ServeSettings, SourceSettings, load, parse_table, parse_text
from feedsim.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "feedsim.toml"


PLACES = ("default", "file", "environment", "command line")


@given(given_at=st.sets(st.sampled_from(PLACES[1:])))
def test_the_command_line_wins_over_environment_over_file(
    tmp_path_factory: pytest.TempPathFactory, given_at: set[str]
) -> None:
    """Each field by itself, from the last place that says anything."""
    path = tmp_path_factory.mktemp("config") / "c.toml"
    path.write_text("port = 1\nspeed = 5\n" if "file" in given_at else "speed = 5\n")
    settings = load(
        ServeSettings,
        file=str(path),
        environ={"FEEDSIM_PORT": "2", "OTHER": "x"} if "environment" in given_at else {},
        given={"port": 3} if "command line" in given_at else {},
    )
    values = {"default": 8765, "file": 1, "environment": 2, "command line": 3}
    last = [place for place in PLACES if place == "default" or place in given_at][-1]
    assert settings.port == values[last]
    assert settings.speed == 5.0
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "0", 0),
        ("speed", "max", "max"),
        ("speed", "2.5", 2.5),
        ("loop", "true", True),
        ("loop", "0", False),
        ("source", "5", "5"),
        ("symbols", "ES, NQ,", ("ES", "NQ")),
        ("bar_tf_s", "1,60", (1, 60)),
        ("bar_tf_s", "", ()),
        ("option", "a=1, b=x=y", {"a": "1", "b": "x=y"}),
        ("closed", "wait", "wait"),
        ("ring_mib", "0.5", 0.5),
    ],
)
def test_texts_of_the_environment(name: str, text: str, value: Any) -> None:
    """Numbers, words, lists by commas, tables of name=value."""
    settings = load(ServeSettings, given={}, environ={f"FEEDSIM_{name.upper()}": text})
    assert getattr(settings, name) == value


def test_every_setting_can_be_given_anywhere(file: Path) -> None:
    """Its own default, if it has one, written as TOML and as a text of the environment, is itself again."""
    defaults = ServeSettings()
    given = {name: value for name, value in msgspec.structs.asdict(defaults).items() if value is not None}
    file.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in given.items()))
    assert load(ServeSettings, given={}, file=str(file)) == defaults
    environ = {f"FEEDSIM_{name.upper()}": _text(value) for name, value in given.items()}
    assert load(ServeSettings, given={}, environ=environ) == defaults
    assert load(ServeSettings, given=msgspec.structs.asdict(defaults)) == defaults


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_toml, value))}]"
    return "{}" if isinstance(value, dict) else f'"{value}"' if isinstance(value, str) else str(value)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if isinstance(value, dict) else str(value)


BAD: list[tuple[str, Any, str]] = [
    ("port", -1, ">= 0"),
    ("port", 65_536, "65535"),
    ("port", "http", "int"),
    ("port", 1.5, "int"),
    ("speed", 0, "max or a number from 0.001"),
    ("speed", "fast", "max or a number from 0.001"),
    ("speed", float("nan"), "max or a number"),
    ("speed", float("inf"), "max or a number"),
    ("speed", 1e7, "1,000,000"),
    ("closed", "maybe", "jump, wait"),
    ("rebase", "later", "(nothing), now"),
    ("log", "xml", "text, json"),
    ("control", "none", "private, all"),
    ("coalesce", 1001, "1000"),
    ("minutes", -1, ">= 0"),
    ("seed", 2**63, str(2**63 - 1)),
    ("seed", "x", "int"),
    ("symbols", 5, "array"),
    ("bar_tf_s", ["x"], "int"),
    ("offer", ["a"], "object"),
    ("ring_mib", 0.01, "0.0625"),
    ("max_clients", 0, ">= 1"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), BAD, ids=str)
def test_errors_name_the_field_and_what_is_allowed(name: str, value: Any, allowed: str) -> None:
    """And that it came from the command line."""
    with pytest.raises(ConfigError) as refused:
        load(ServeSettings, given={name: value})
    assert (refused.value.field, refused.value.file) == (name, "command line")
    assert allowed in str(refused.value)
    assert "\n" not in str(refused.value)


def test_errors_name_the_place(file: Path) -> None:
    """The file by its name, the environment as such; the first wrong place is told, though a later one would win."""
    file.write_text("port = 'x'\n")
    with pytest.raises(ConfigError) as refused:
        load(ServeSettings, given={"port": 5}, file=str(file))
    assert (refused.value.file, refused.value.field) == (str(file), "port")
    with pytest.raises(ConfigError, match="environment: port: 'x'"):
        load(ServeSettings, given={}, environ={"FEEDSIM_PORT": "x"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("prot = 1\n", "prot: unknown setting; there are: .*port"),
        ("[port]\nx = 1\n", "port: .*int"),
        ("port = \n", "not valid TOML"),
        ("port = 1\nport = 2\n", "not valid TOML"),
        ("start = 2025-08-21T09:30:00\n", "start: "),
    ],
)
def test_files_that_cannot_be_used(file: Path, text: str, problem: str) -> None:
    """The file, the field if there is one, and why."""
    file.write_text(text)
    with pytest.raises(ConfigError, match=problem) as refused:
        load(ServeSettings, given={}, file=str(file))
    assert str(refused.value).startswith(f"{file}: ")


def test_files_that_cannot_be_read(file: Path) -> None:
    """Missing, a folder, not UTF-8."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load(ServeSettings, given={}, file=str(file))
    with pytest.raises(ConfigError, match="cannot be read"):
        load(ServeSettings, given={}, file=str(file.parent))
    file.write_bytes(b"source = '\xff'\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(ServeSettings, given={}, file=str(file))


def test_a_command_takes_only_its_own_settings() -> None:
    """What serves has settings that what only reads has not; variables of others are left alone."""
    with pytest.raises(ConfigError, match="unknown setting"):
        load(SourceSettings, given={"port": 1})
    assert load(PaceSettings, given={}, environ={"FEEDSIM_PORT": "x"}) == PaceSettings()


@pytest.mark.parametrize("pair", ["a", "=1", " =1", ""])
def test_tables_are_pairs(pair: str) -> None:
    """name=value, and nothing less."""
    with pytest.raises(ConfigError, match="name=value"):
        parse_table([pair], field="option")
    assert parse_table([" a = b "], field="option") == {"a": "b"}


def test_parse_text_leaves_single_values_to_the_check() -> None:
    """It splits lists and tables only."""
    fields = {field.name: field for field in msgspec.structs.fields(ServeSettings)}
    assert parse_text(fields["port"], "x,y") == "x,y"
    assert parse_text(fields["origin"], " a , ,b") == ["a", "b"]


def test_every_setting_is_described() -> None:
    """The command line's help is made of it."""
    for field in msgspec.structs.fields(ServeSettings):
        (meta,) = (part for part in field.type.__metadata__ if isinstance(part, msgspec.Meta))
        assert meta.description, field.name
