"""The dashboard shows what the server measures: every metric that it names is served, and every one served is shown."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from tests.support.server import ServerFactory

GRAFANA = Path(__file__).parents[2] / "docker" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "feedsim.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
QUERIES: list[str] = [target["expr"] for panel in PANELS for target in panel["targets"]]


def served_samples(port: int) -> dict[str, set[str]]:
    """The names of the samples at /metrics, by family, without those of Python and its process."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    families: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith("feedsim_"):
            names = {sample.name for sample in family.samples if not sample.name.endswith("_created")}
            # A counter by label has no sample before its first event; its name is known all the same.
            families[family.name] = names or {f"{family.name}_total" if family.type == "counter" else family.name}
    return families


def test_metrics_named_and_metrics_served_are_the_same(feedsim_server: ServerFactory) -> None:
    """No panel asks for what nobody serves, and nothing that is served is shown nowhere."""
    families = served_samples(feedsim_server("synthetic:").port)
    named = set(re.findall(r"\bfeedsim_\w+", " ".join(QUERIES)))
    assert named <= {sample for samples in families.values() for sample in samples}
    assert {name for name, samples in families.items() if not samples & named} == set()


def test_panels_read_the_provisioned_data_source() -> None:
    """Every panel and query names the data source that is set up beside the dashboard."""
    (source,) = YAML(typ="safe").load(GRAFANA / "provisioning" / "datasources" / "prometheus.yaml")["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    for panel in PANELS:
        assert panel["datasource"] == wanted
        assert all(target["datasource"] == wanted for target in panel["targets"])


def test_panels_have_their_own_number_and_say_what_they_show() -> None:
    """Grafana merges panels of one number; a panel without a description and a unit is a riddle."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("query", QUERIES)
def test_counters_are_shown_as_rates(query: str) -> None:
    """A counter only grows: it is shown per second, over the interval that fits the scrapes."""
    for name in re.findall(r"feedsim_\w+(?:_total|_bucket)\b", query):
        assert f"rate({name}[$__rate_interval])" in query


def test_panels_do_not_cover_each_other() -> None:
    """Each has its own place in the grid of 24 columns."""
    places = [panel["gridPos"] for panel in PANELS]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, two in combinations(places, 2):
        beside = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
        above = one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
        assert beside or above
