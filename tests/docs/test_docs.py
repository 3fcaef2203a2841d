"""The documentation names what there is: messages, fields, codes, settings, metrics; its examples are accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from feedsim.config import ServeSettings, load
from feedsim.events import EVENT_TYPES
from feedsim.server.metrics import METRICS
from feedsim.wire import messages
from feedsim.wire.codec import CODECS

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *(path for folder in ("docs", "clients") for path in (REPOSITORY / folder).rglob("*.md")),
    ]
)
PAGES = [page for page in PAGES if "node_modules" not in page.parts]
WIRE = (DOCS / "wire.md").read_text()
OPERATIONS = (DOCS / "operations.md").read_text()


def names_in_code(text: str) -> set[str]:
    """The words in `code`, JSON blocks included, without what is beside them."""
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    return {word for part in code for word in re.findall(r"[\w.]+", part)}


def tag(message: type[msgspec.Struct]) -> str:
    return str(message.__struct_config__.tag)


def fields(struct: type[msgspec.Struct]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(struct)}


def conversations() -> Iterator[tuple[str, str]]:
    """Who speaks (C or S) and what, in the examples of wire.md; a line that is indented goes on."""
    for block in re.findall(r"```\n(.*?)```", WIRE, re.DOTALL):
        for line in re.sub(r"\n +", "", block).splitlines():
            if match := re.match(r"([CS]) (\{.*\})$", line):
                yield match[1], match[2]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is to a file of the repository."""
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target


def test_every_page_is_in_the_index() -> None:
    """A page that nobody links to is not found."""
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)", (DOCS / "index.md").read_text())}
    assert set(DOCS.rglob("*.md")) - {DOCS / "index.md"} <= linked


@pytest.mark.parametrize(
    "message", [*get_args(messages.AnyRequest), *get_args(messages.AnyMessage), *get_args(messages.AnyPrivate)], ids=tag
)
def test_every_message_is_described(message: type[msgspec.Struct]) -> None:
    """wire.md names each message and each of its fields."""
    assert {tag(message), *fields(message)} <= names_in_code(WIRE)


@pytest.mark.parametrize("channel", EVENT_TYPES)
def test_every_field_of_an_event_is_in_its_row(channel: str) -> None:
    """wire.md's table has all fields of a channel in its own row, except the five that all events have."""
    (row,) = re.findall(rf"^\| `{channel}` \| .*$", WIRE.partition("## Events")[2], re.MULTILINE)
    assert fields(EVENT_TYPES[channel]) - {"seq", "n", "ts", "symbol"} <= names_in_code(row)


def test_every_error_code_is_described() -> None:
    """And no code is described that there is not."""
    codes = get_args(msgspec.structs.fields(messages.Error)[1].type)
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", WIRE.partition("## Errors")[2], re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(codes)


@pytest.mark.parametrize(("who", "text"), list(conversations()))
def test_examples_are_accepted(who: str, text: str) -> None:
    """What is said in an example is a request that the server can decode, or a message that its schema allows."""
    codec = CODECS["json"]
    decoded = codec.decode_request(text) if who == "C" else codec.decode_message(text)
    if who == "S":
        assert json.loads(codec.encode(decoded)) == json.loads(text)


def test_both_sides_are_shown() -> None:
    """The pattern above finds the conversations."""
    assert {who for who, _ in conversations()} == {"C", "S"}
    assert WIRE.count("\nC {") + WIRE.count("\nS {") == len(list(conversations()))


def test_requests_in_the_table_are_accepted() -> None:
    """So are the ones in the table of replay requests."""
    shown = [json.loads(text) for text in re.findall(r"^\| `(\{.*\})` \|", WIRE, re.MULTILINE)]
    decoded = [CODECS["json"].decode_request(json.dumps(request)) for request in shown]
    assert {tag(type(request)) for request in decoded} == {tag(control) for control in get_args(messages.Control)}


def test_defaults_of_subscribe_are_as_described() -> None:
    """A subscribe that spells out every default of the table is the one that names nothing."""
    table = WIRE.partition("### subscribe")[2].partition("###")[0]
    described: dict[str, Any] = {"op": "subscribe"}
    for names, default in re.findall(r"^\| (`[a-z_`, ]+`) \| `?([^|`]+)`? \|", table, re.MULTILINE):
        described |= dict.fromkeys(re.findall(r"`(\w+)`", names), json.loads(default))
    assert described.pop("policy") == "skip"  # null on the wire: the session's default, which may be wait
    assert CODECS["json"].decode_request(json.dumps(described)) == messages.Subscribe()
    assert set(described) == fields(messages.Subscribe) - {"id", "policy"} | {"op"}


def test_every_setting_is_described() -> None:
    """operations.md has a row for each setting of the server."""
    assert fields(ServeSettings) <= names_in_code(OPERATIONS)


def shown_default(value: object) -> str:
    """A default as the table has it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(str, value))
        case float():
            return f"{value:g}"
        case dict():
            return ",".join(f"{name}={given}" for name, given in value.items())
    return str(value)


def test_defaults_of_settings_are_as_described() -> None:
    """The table's second column is what a setting is when nobody sets it."""
    table = OPERATIONS.partition("## Settings")[2].partition("##")[0]
    described: dict[str, str] = {}
    for names, defaults in re.findall(r"^\| (`[a-z_`, ]+`) \| ?(.*?) ?\|", table, re.MULTILINE):
        listed = re.findall(r"`(\w+)`", names)
        described |= zip(listed, defaults.replace("`", "").split(", "), strict=True)
    real = ServeSettings()
    assert described == {name: shown_default(getattr(real, name)) for name in fields(ServeSettings)}


def test_the_setting_file_shown_is_accepted(tmp_path: Path) -> None:
    """operations.md's TOML is a file of settings."""
    (shown,) = re.findall(r"```toml\n(.*?)```", OPERATIONS, re.DOTALL)
    file = tmp_path / "feed.toml"
    file.write_text(shown)
    assert load(ServeSettings, given={}, file=str(file)).offer == {"tuesday": "recordings/tuesday"}


def test_every_metric_is_described() -> None:
    """operations.md has each metric, and none that is not served."""
    assert set(re.findall(r"\bfeedsim_[a-z_]+", OPERATIONS)) == set(METRICS)
