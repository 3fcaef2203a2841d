"""The published schema against what is really said and asked."""

from __future__ import annotations

import json
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from jsonschema.protocols import Validator

from feedsim.events import Event
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS
from feedsim.wire.schema import asyncapi, json_schema
from tests.wire.samples import ASKED, SAID, any_event


def validator(part: str | None = None) -> Validator:
    """Of all messages, or of one of `$defs`."""
    schema = json_schema()
    if part is not None:
        schema = {"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(schema)


def as_json(message: Any) -> Any:
    return json.loads(CODECS["json"].encode(message))


def test_it_is_a_schema() -> None:
    """By the rules of its own draft."""
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("message", [*SAID, *ASKED], ids=lambda message: type(message).__name__)
def test_it_accepts_what_is_said_and_asked(message: Any) -> None:
    """As a whole, and as the message that it is."""
    validator().validate(as_json(message))
    validator(type(message).__name__).validate(as_json(message))


@given(event=any_event)
@settings(max_examples=60)
def test_it_accepts_every_event(event: Event) -> None:
    """Whatever its values; in a frame of events and by itself."""
    said = as_json(m.Events(sent=1, events=[event]))  # type: ignore[list-item] # a member of the union
    VALIDATORS["Events"].validate(said)
    VALIDATORS[type(event).__name__].validate(as_json(event))


VALIDATORS = {
    name: validator(name)
    for name in (
        "Events",
        "Status",
        "Bar",
        "Footprint",
        "Profile",
        "Context",
        "Leadership",
        "Mbo",
        "Truth",
        "Trade",
        "L1",
        "L2",
    )
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "nothing"},
        {"type": "events", "events": []},
        {"type": "events", "sent": "now", "events": []},
        {"type": "events", "sent": 1, "events": [{"type": "trade"}]},
        {"op": "subscribe", "depth": 21},
        {"op": "subscribe", "policy": "never"},
        {"op": "subscribe", "more": 1},
        {"op": "replay.speed", "speed": 0},
        {"op": "replay.step", "unit": "day"},
        {"op": "resume", "session_id": "live", "epoch": 1},
        5,
    ],
    ids=str,
)
def test_it_refuses_what_the_protocol_refuses(wrong: Any) -> None:
    """A wrong type, a missing or unknown field, a value out of bounds."""
    assert not validator().is_valid(wrong)


def references(part: Any) -> list[str]:
    """All `$ref` in a document."""
    if isinstance(part, dict):
        here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return here + [ref for value in part.values() for ref in references(value)]
    return [ref for value in part for ref in references(value)] if isinstance(part, list) else []


@pytest.mark.parametrize("document", [json_schema(), asyncapi()], ids=["schema", "asyncapi"])
def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    """Every `$ref` names a part of the document."""
    found = references(document)
    assert found
    for ref in found:
        part: Any = document
        for step in ref.removeprefix("#/").split("/"):
            part = part[step]


def test_asyncapi_knows_who_says_what() -> None:
    """A server's messages are sent, a client's received, and no message is missing."""
    document = asyncapi()
    for operation, kinds in (("hear", m.AnyMessage), ("ask", m.AnyRequest)):
        names = [part["$ref"].rsplit("/", 1)[-1] for part in document["operations"][operation]["messages"]]
        assert sorted(names) == sorted(kind.__name__ for kind in get_args(kinds))
    assert document["operations"]["hear"]["action"] == "send"
    assert document["asyncapi"].startswith("3.")
