"""What the port says to plain HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.error
import urllib.request
from email.message import Message

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families

from feedsim.app.service import Service
from feedsim.server.metrics import METRICS
from tests.server.talking import Serve, talking


async def get(service: Service, path: str) -> tuple[int, Message, str]:
    def fetch() -> tuple[int, Message, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{service.port}{path}") as page:
                return page.status, page.headers, page.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()

    return await asyncio.to_thread(fetch)


async def test_health(serve: Serve) -> None:
    """/healthz is ok while the server serves."""
    async with serve() as service:
        assert (await get(service, "/healthz"))[::2] == (200, "ok\n")


async def test_metrics_count_what_was_told(serve: Serve) -> None:
    """/metrics is a Prometheus page with every documented metric, and counts the events that a client got."""
    async with serve(speed="max") as service, talking(service) as talk:
        await talk.send("subscribe", channels=["trade", "bar"])
        events: list[dict[str, object]] = []
        while (message := await talk.receive())["type"] != "replay_state":
            events += message.get("events", []) if message["type"] == "events" else []
        status, headers, page = await get(service, "/metrics")
    assert status == 200
    assert headers.get_content_type() == "text/plain"
    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert {name.removesuffix("_total") for name in METRICS} <= set(families)
    told = {s.labels["channel"]: s.value for s in families["feedsim_events"].samples if s.name.endswith("_total")}
    for channel in ("trade", "bar"):
        assert told[channel] == sum(event["type"] == channel for event in events) > 0
    assert families["feedsim_sent_events"].samples[0].value == len(events)
    assert families["feedsim_clients"].samples[0].value == 1


async def test_metrics_are_named_as_prometheus_wants_them(serve: Serve) -> None:
    """Base units at the end, `_total` for what only grows, help for each, buckets that add up."""
    async with serve() as service:
        page = (await get(service, "/metrics"))[2]
    for family in text_string_to_metric_families(page):
        assert re.fullmatch(r"feedsim(_[a-z]+)+", family.name)
        assert family.documentation.endswith(".")
        assert not re.search(r"_(ms|us|ns|milliseconds|kb|mb|mib|count|percent)(_|$)", family.name)
        assert (f"{family.name}_total" in METRICS) is (family.type == "counter")
        if family.type == "histogram":
            bounds = [sample.labels["le"] for sample in family.samples if sample.name.endswith("_bucket")]
            assert list(map(float, bounds)) == sorted(map(float, bounds))
            assert bounds[-1] == "+Inf"


async def test_the_schema_holds_for_what_is_said(serve: Serve) -> None:
    """/schema validates every message of a real conversation, and refuses one with a wrong field."""
    async with serve(speed="max") as service:
        schema = json.loads((await get(service, "/schema"))[2])
        said: list[dict[str, object]] = []
        async with talking(service) as talk:
            await talk.send("subscribe", id=1)
            await talk.send("history", id=2, channel="bar", symbol="ES")
            await talk.send("ping", id=3)
            await talk.send("order.new", id=4)
            while not said or said[-1]["type"] != "replay_state":
                said.append(await talk.receive())
            said.append(await talk.next("heartbeat"))
    assert {"welcome", "subscribed", "snapshot", "events", "history", "pong", "error"} <= {m["type"] for m in said}
    server = {"$defs": schema["$defs"], **next(part for part in schema["oneOf"] if part["title"] == "server")}
    validator = jsonschema.Draft202012Validator(server)
    for message in said:
        validator.validate(message)
    assert not validator.is_valid({**said[0], "seq": "x"})


async def test_asyncapi_names_every_message(serve: Serve) -> None:
    """/asyncapi is an AsyncAPI 3 document whose references all lead somewhere."""
    async with serve() as service:
        text = (await get(service, "/asyncapi"))[2]
    document = json.loads(text)
    assert document["asyncapi"].startswith("3.")

    def follow(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                target: object = document
                for part in reference.removeprefix("#/").split("/"):
                    assert isinstance(target, dict)
                    target = target[part]
            for value in node.values():
                follow(value)
        elif isinstance(node, list):
            for value in node:
                follow(value)

    follow(document)
    assert text.count("$ref") > 50


@pytest.mark.parametrize("path", ["/nothing", "/metrics/../etc/passwd", "/"])
async def test_other_paths(path: str, serve: Serve) -> None:
    """What is not there is a 404 that says what is."""
    async with serve() as service:
        status, _, text = await get(service, path)
    assert status == 404
    assert "/metrics" in text


async def test_reactions_are_told_from_any_row(serve: Serve) -> None:
    """A head, then a row for each ping that named an event; `after` leaves out what is known, nonsense nothing."""
    async with serve(speed=50.0) as service, talking(service) as talk:
        await talk.send("subscribe", channels=["trade"])
        for event in (await talk.events(3))[:3]:
            await talk.ask("ping", seen_seq=event["seq"])
        await talk.ask("ping")
        _, headers, page = await get(service, "/reactions")
        pages = [(await get(service, f"/reactions{query}"))[2] for query in ("?after=2", "?after=x", "?x=1")]
    assert headers.get_content_type() == "application/jsonl"
    head, *rows = map(json.loads, page.splitlines())
    assert (head["type"], head["first_n"], head["last_n"]) == ("reactions", 1, 3)
    assert [(row["n"], row["op"], row["channel"], row["inferred"]) for row in rows] == [
        (n, "ping", "trade", False) for n in (1, 2, 3)
    ]
    assert [len(page.splitlines()) for page in pages] == [2, 4, 4]


async def test_reactions_are_for_those_who_have_the_token(serve: Serve) -> None:
    """The other pages are for everybody."""
    async with serve(token="secret") as service:
        assert [(await get(service, path))[0] for path in ("/reactions", "/healthz")] == [401, 200]
