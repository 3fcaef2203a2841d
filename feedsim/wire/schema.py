"""The published contract, generated from the message Structs: a JSON Schema and an AsyncAPI 3 document."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from feedsim import __version__
from feedsim.wire.messages import JSON_SUBPROTOCOL, MSGPACK_SUBPROTOCOL, AnyMessage, AnyRequest

_REF = "#/$defs/{name}"
_DESCRIPTION = "A fake market that a live trading bot plugs into: one WebSocket, one order, every event numbered."


def json_schema() -> dict[str, Any]:
    """One schema for all messages: `$defs` has each, `oneOf` what may come (server) and what may be sent (client)."""
    (server, client), definitions = msgspec.json.schema_components((AnyMessage, AnyRequest), ref_template=_REF)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"feedsim.v1 ({__version__})",
        "description": _DESCRIPTION,
        "oneOf": [{"title": "server", **server}, {"title": "client", **client}],
        "$defs": definitions,
    }


def asyncapi() -> dict[str, Any]:
    """The same as an AsyncAPI 3.0 document."""
    template = "#/components/schemas/{name}"
    _, definitions = msgspec.json.schema_components((AnyMessage, AnyRequest), ref_template=template)
    said, asked = ([kind.__name__ for kind in get_args(kinds)] for kinds in (AnyMessage, AnyRequest))
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "feedsim", "version": __version__, "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:8765",
                "protocol": "ws",
                "description": f"Subprotocol {JSON_SUBPROTOCOL} (text) or {MSGPACK_SUBPROTOCOL} (binary).",
            }
        },
        "channels": {
            "feed": {
                "address": "/",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in (*said, *asked)},
            }
        },
        "operations": {
            "hear": _operation("send", said, "What the server says."),
            "ask": _operation("receive", asked, "What a client may ask."),
        },
        "components": {
            "messages": {
                name: {"name": name, "payload": {"$ref": template.format(name=name)}} for name in (*said, *asked)
            },
            "schemas": definitions,
        },
    }


def _operation(action: str, names: list[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/feed"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/feed/messages/{name}"} for name in names],
    }
