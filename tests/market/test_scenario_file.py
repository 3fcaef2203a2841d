"""A user's own scenario in a TOML file."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.errors import ConfigError
from feedsim.market.scenario import Decay, Iceberg, News, Scenario
from feedsim.market.scenario_file import read_scenario

WHOLE = """
name = "squeeze"
about = "the offers go"

[always]
sigma_mult = 0.8

[[windows]]
gap_s = [300, 600]
label = "long_bias"
side = 1
fails = 0.25

[[windows.phases]]
name = "absorption"
seconds = [60, 120]
lean = {flow_bias = 0.9, mu = [0.01, 0.02]}
confidence = 0.6
onset_s = 30
iceberg = {side = "ask", offset = [0, 2], reserve = [1000, 2000], refresh = [50, 90]}

[[windows.last]]
name = "breakout"
seconds = [30, 60]
lean = {mu = 0.15, act_mult = {peak = 4, tau_s = 60, power = 0.8}}
confidence = 0.9

[[news]]
at = "14:00"
size = -2
"""


def _write(folder: Path, text: str | bytes) -> Path:
    path = folder / "squeeze.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_all_its_words(tmp_path: Path) -> None:
    """Numbers, ranges, decays, icebergs, windows with phases, news."""
    scenario = read_scenario(_write(tmp_path, WHOLE))
    (window,) = scenario.windows
    assert (scenario.name, scenario.about, scenario.always) == ("squeeze", "the offers go", {"sigma_mult": 0.8})
    assert (window.gap_s, window.label, window.side, window.fails) == ((300, 600), "long_bias", 1, 0.25)
    assert window.phases[0].lean == {"flow_bias": 0.9, "mu": (0.01, 0.02)}
    assert window.phases[0].iceberg == Iceberg(side="ask", offset=(0, 2), reserve=(1000, 2000), refresh=(50, 90))
    assert window.last[0].lean["act_mult"] == Decay(peak=4, tau_s=60, power=0.8)
    assert scenario.news == (News(at="14:00", size=-2),)


def test_a_file_may_be_short(tmp_path: Path) -> None:
    """Its name is the scenario's where it says none."""
    assert read_scenario(_write(tmp_path, "")) == Scenario(name="squeeze", about="the scenario of squeeze.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "unknown field `colour`"),
        ("[always]\nmood = 1", "'mood': no such modulator; there is mu, sigma_mult"),
        ("[[windows]]\ngap_s = [1, 2]\nphases = []\nlabels = 'x'", "unknown field `labels` - at `$.windows[0]`"),
        ("[[windows]]\ngap_s = 5\nphases = []", "got `int` - at `$.windows[0].gap_s`"),
        ("[[windows]]\nphases = []", "missing required field `gap_s`"),
        ("[[windows]]\ngap_s = [1, 2]\n[[windows.phases]]\nname = 'a'\nseconds = [1, 2]\nlean = {mud = 1}", "'mud'"),
        ("[[windows]]\ngap_s = [1, 2]\n[[windows.phases]]\nname = 'a'\nseconds = [1, 2, 3]", "phases[0].seconds"),
        ("[[news]]\nat = '14:00'\nsize = 0", "expected -20 to 20, not 0"),
        ("name = ", "Invalid value"),
        (b"\xff", "utf-8"),
    ],
)
def test_what_it_must_not_say(tmp_path: Path, text: str | bytes, message: str) -> None:
    """One line that names the file, the place and what is wrong."""
    path = _write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read_scenario(path)
    assert str(error.value).startswith(f"scenario: {path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Says so."""
    with pytest.raises(ConfigError, match="No such file"):
        read_scenario(tmp_path / "none.toml")
