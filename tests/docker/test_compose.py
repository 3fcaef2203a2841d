"""compose.yaml and what it mounts fit together: schema, paths, names, ports, health and who can reach what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.docker.dockerfile import parse

DOCKER = Path(__file__).parents[2] / "docker"


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path)


COMPOSE = load(DOCKER / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
IMAGE = parse((DOCKER / "Dockerfile").read_text())[1][-1]


def mounts(service: str) -> dict[str, str]:
    """What is mounted, by the path inside."""
    return {inside: outside for outside, inside, *_ in (text.split(":") for text in SERVICES[service]["volumes"])}


def test_it_follows_the_schema() -> None:
    """check-jsonschema finds nothing against the compose specification that it ships."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(DOCKER / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_mounts_exist(service: str) -> None:
    """Every path that is mounted is in the repository, and every named volume is declared."""
    for outside in mounts(service).values():
        assert (DOCKER / outside).exists() if outside.startswith(".") else outside in COMPOSE["volumes"], outside


def test_every_volume_is_used() -> None:
    """No volume is declared for nobody."""
    assert set(COMPOSE["volumes"]) <= {outside for service in SERVICES for outside in mounts(service).values()}


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_this_machine_alone(service: str) -> None:
    """A feed without a token is not offered to the network."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service]["ports"])


def test_everything_has_a_healthcheck() -> None:
    """The image brings feedsim's own; the others are given one, and nobody starts before what it needs is healthy."""
    assert IMAGE.last("HEALTHCHECK")
    assert all("healthcheck" in SERVICES[service] for service in ("prometheus", "grafana"))
    needs = [need for service in SERVICES.values() for need in service.get("depends_on", {}).values()]
    assert needs
    assert all(need["condition"] == "service_healthy" for need in needs)


def test_feedsim_is_built_from_the_dockerfile() -> None:
    """The build's context is the repository, and what the image writes to is a volume."""
    build = SERVICES["feedsim"]["build"]
    context = (DOCKER / build["context"]).resolve()
    assert (context / build["dockerfile"]).resolve() == DOCKER / "Dockerfile"
    assert (context / "pyproject.toml").exists()
    assert SERVICES["feedsim"]["read_only"]
    assert set(mounts("feedsim")) == {"/recordings", "/home/feedsim/.cache"}


def test_prometheus_scrapes_the_port_that_feedsim_listens_on() -> None:
    """The target is the service and the image's port."""
    config = load(DOCKER / "prometheus" / "prometheus.yml")
    (target,) = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target == f"feedsim:{IMAGE.last('EXPOSE').value}"
    assert "feedsim" in SERVICES


def test_prometheus_reads_the_file_that_is_mounted() -> None:
    """`--config.file` and the storage path name mounts."""
    arguments = dict(word.split("=", 1) for word in SERVICES["prometheus"]["command"])
    assert mounts("prometheus")[arguments["--config.file"]] == "./prometheus/prometheus.yml"
    assert arguments["--storage.tsdb.path"] in mounts("prometheus")


def test_grafana_finds_its_data_and_its_dashboard() -> None:
    """The data source is the service prometheus; the provider and the home page read the folder that is mounted."""
    provisioning = DOCKER / "grafana" / "provisioning"
    (source,) = load(provisioning / "datasources" / "prometheus.yaml")["datasources"]
    (provider,) = load(provisioning / "dashboards" / "feedsim.yaml")["providers"]
    port = SERVICES["prometheus"]["ports"][0].rpartition(":")[2]
    assert source["url"] == f"http://prometheus:{port}"
    folder = provider["options"]["path"]
    outside = mounts("grafana")[folder]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DOCKER / outside / Path(home).relative_to(folder)).exists()
