"""The Dockerfile's steps, carried out in a clean folder: what comes out has the package, serves, is healthy, ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.dockerfile import Build, Stage, is_ignored, parse
from tests.support.server import RunningServer, running

REPOSITORY = Path(__file__).parents[2]
ARGUMENTS, STAGES = parse((REPOSITORY / "docker" / "Dockerfile").read_text())
FINAL = STAGES[-1]
VENV = "/opt/feedsim"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Build:
    build = Build(tmp_path_factory.mktemp("image"), REPOSITORY)
    build.run(STAGES)
    build.borrow_packages(VENV)
    return build


@pytest.fixture
def container(image: Build) -> Iterator[RunningServer]:
    """What ENTRYPOINT and CMD start, on a free port, with nothing of this process's environment."""
    program, *arguments = [*FINAL.last("ENTRYPOINT").words(), *FINAL.last("CMD").words()]
    environment = container_environment(image, port=0)
    with running([str(image.inside(f"{VENV}/bin/{program}")), *arguments], env=environment) as server:
        yield server


def container_environment(image: Build, port: int) -> dict[str, str]:
    home = image.inside(FINAL.last("WORKDIR").value)
    return image.environment(FINAL) | {"HOME": str(home), "FEEDSIM_PORT": str(port)}


def healthy(image: Build, port: int) -> bool:
    """The outcome of the HEALTHCHECK's command."""
    command = FINAL.last("HEALTHCHECK").value.partition(" CMD ")[2]
    done = subprocess.run(
        json.loads(command), env=container_environment(image, port), capture_output=True, timeout=30, check=False
    )
    return done.returncode == 0


def test_the_container_serves_is_healthy_and_ends_on_sigterm(image: Build, container: RunningServer) -> None:
    """The command serves to other hosts, the healthcheck says so, and says otherwise when the server is gone."""
    assert "0.0.0.0" in container.output
    assert healthy(image, container.port)
    assert container.terminate() == 0
    assert not healthy(image, container.port)


def test_the_image_has_the_built_package(image: Build) -> None:
    """What is imported is the wheel in the image, not this folder; it has its data files and the licence."""
    python = image.inside(f"{VENV}/bin/python")
    code = "import feedsim; print(feedsim.__file__)"
    done = subprocess.run([python, "-P", "-c", code], cwd="/", capture_output=True, text=True, check=True)
    package = Path(done.stdout.strip()).parent
    assert package.is_relative_to(image.inside(VENV))
    assert (package / "py.typed").exists()
    assert list(package.parent.glob("feedsim-*.dist-info/licenses/LICENSE"))


def test_only_the_last_stage_is_shipped(image: Build) -> None:
    """The sources and the wheel stay behind in the build stage."""
    top = {path.name for path in image.root.iterdir()}
    assert top == {"home", "opt", "recordings"}


def test_the_container_is_not_root(image: Build) -> None:
    """It runs as a user that the same stage made and that owns every folder it has to write to."""
    user = FINAL.last("USER").value
    assert user not in ("root", "0")
    assert image.users == [user]
    assert image.owned == {"/recordings": user, "/home/feedsim/.cache": user}


def test_stages_share_one_base() -> None:
    """A virtual environment only works where its interpreter is: both stages are of one Python, 3.11 or newer."""
    assert {stage.base for stage in STAGES} == {"python:${PYTHON}-slim"}
    assert tuple(map(int, ARGUMENTS["PYTHON"].split("."))) >= (3, 11)


def test_the_port_is_one(image: Build) -> None:
    """What is exposed is where the server listens."""
    assert FINAL.last("EXPOSE").value == FINAL.environment()["FEEDSIM_PORT"]


def test_the_parser_reads_stages_comments_and_continued_lines() -> None:
    """A comment between continued lines does not end the instruction."""
    text = 'ARG V=1\n# first\nFROM a:${V} AS one\nRUN x \\\n# why\n && y\nFROM b\nENV A=1 \\\n    B=2\nCMD ["c"]\n'
    arguments, stages = parse(text)
    assert arguments == {"V": "1"}
    assert [(stage.base, stage.name) for stage in stages] == [("a:${V}", "one"), ("b", "")]
    assert stages[0].last("RUN").value == "x  && y"
    assert stages[1].environment() == {"A": "1", "B": "2"}
    assert stages[1].last("CMD").words() == ["c"]


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("feedsim/cli/__init__.py", False),
        ("feedsim/__pycache__/x.pyc", True),
        (".git/config", True),
        ("README.md", False),
    ],
)
def test_the_build_is_given_only_what_it_needs(path: str, *, ignored: bool) -> None:
    """.dockerignore leaves out everything but the package and its papers."""
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert is_ignored(path, [line for line in lines if line and not line.startswith("#")]) is ignored


def test_a_copy_of_what_is_ignored_fails(tmp_path: Path) -> None:
    """The stand-in for `docker build` does not hand out what .dockerignore leaves out."""
    context = tmp_path / "context"
    context.mkdir()
    (context / ".dockerignore").write_text("*\n")
    (context / "secret").write_text("")
    stage = Stage("base", "", [parse("FROM x\nCOPY secret ./\n")[1][0].last("COPY")])
    with pytest.raises(AssertionError, match="secret"):
        Build(tmp_path / "build", context).run([stage])
