"""Where compiled code is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba.core import config

import feedsim
from feedsim.sources import numba_cache

PLACES = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA")
COMPILE_ONE = """
import feedsim.sources.synthetic
from feedsim.market.chance import stream, uniform
print(0 <= uniform(stream(1, "one")) < 1)
"""


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home of its own, and no choice made in the environment."""
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "folder"),
    [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")],
)
def test_the_platform_has_its_folder(places: Path, monkeypatch: pytest.MonkeyPatch, platform: str, folder: str) -> None:
    """The user's cache folder, as Linux, macOS and Windows have it."""
    monkeypatch.setattr(sys, "platform", platform)
    assert numba_cache.user_folder() == places / folder / "feedsim"


@pytest.mark.parametrize(("platform", "name"), [("linux", "XDG_CACHE_HOME"), ("win32", "LOCALAPPDATA")])
def test_the_environment_may_move_it(places: Path, monkeypatch: pytest.MonkeyPatch, platform: str, name: str) -> None:
    """By the platform's own variable, or by numba's above all."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(name, str(places / "moved"))
    assert numba_cache.user_folder() == places / "moved" / "feedsim"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(places / "chosen"))
    assert numba_cache.user_folder() == places / "chosen"


def test_each_version_has_its_own(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of feedsim, or another source file of the market, and another folder."""
    first = numba_cache.market_folder()
    assert first.name.startswith(f"numba-{feedsim.__version__}-")
    market = places / "feedsim" / "market"
    market.mkdir(parents=True)
    (market / "chance.py").write_text("1")
    monkeypatch.setattr(feedsim, "__file__", str(market.parent / "__init__.py"))
    second = numba_cache.market_folder()
    (market / "chance.py").write_text("2")
    assert len({first, second, numba_cache.market_folder()}) == 3


def test_numbas_own_setting_is_put_back(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside, the market's folder, which is there; afterwards what was set before."""
    settings: Any = config
    monkeypatch.setattr(settings, "CACHE_DIR", "the user's")
    with numba_cache.kept():
        inside = Path(settings.CACHE_DIR)
    assert inside == numba_cache.market_folder()
    assert inside.is_dir()
    assert settings.CACHE_DIR == "the user's"


def _compile_one(cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in PLACES}
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "error", "-c", COMPILE_ONE]
    return subprocess.run(
        command,
        env=environment | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """One line on stderr, no compiled code anywhere, and the market's functions work."""
    package = Path(feedsim.__file__).parent
    before = sorted(package.rglob("*.nb?"))
    blocked = tmp_path / "a file"
    blocked.touch()
    done = _compile_one(blocked / "below")
    assert (done.returncode, done.stdout) == (0, "True\n")
    (warning,) = done.stderr.splitlines()
    assert str(blocked / "below") in warning
    assert "compiled anew at every start" in warning
    assert sorted(package.rglob("*.nb?")) == before


def test_compiled_code_is_kept_in_the_folder(tmp_path: Path) -> None:
    """The first start fills it, the second adds nothing, and neither has anything to say."""
    kept = []
    for _ in range(2):
        done = _compile_one(tmp_path / "cache")
        assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
        kept.append({path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.nb?")})
    assert kept[0]
    assert kept[0] == kept[1]
