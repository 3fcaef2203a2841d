"""docs/scenarios.md shows what the table of scenarios has, by pictures that its commands made."""

from __future__ import annotations

import re
import shlex
import struct
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feedsim.market.modulators import LEANABLE, NEUTRAL
from feedsim.market.scenario import Decay, Iceberg, News, Phase, Scenario, Window
from feedsim.market.scenario_file import read_scenario
from feedsim.market.scenarios import SCENARIOS
from feedsim.market.schedule import Schedule
from tests.docs.make_pictures import main
from tests.docs.scenario_page import PAGE, REPOSITORY, commands, table, with_tables
from tests.support.chunks import START_NS

TEXT = PAGE.read_text("utf-8")
COMMANDS = commands(TEXT)
LARGEST = 150_000  # bytes of a picture


def test_every_scenario_has_its_section() -> None:
    """In the order of the table, with its command, its picture and its block of the table."""
    assert list(COMMANDS) == list(SCENARIOS)
    assert re.findall(r"<!-- table: (\w+) -->", TEXT) == list(SCENARIOS)
    assert re.findall(r"\]\(scenarios/(\w+)\.png\)", TEXT) == list(SCENARIOS)


def test_the_tables_are_those_of_the_scenarios() -> None:
    """`make pictures` writes them anew."""
    assert with_tables(TEXT) == TEXT


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_table_has_every_amount(name: str) -> None:
    """Each phase and modulator of a scenario is in its table, buyers and sellers in the place that they have."""
    told = table(SCENARIOS[name])
    for window in SCENARIOS[name].windows:
        for phase in (*window.phases, *window.last, *window.failing):
            assert f"`{phase.name}`" in told
            assert all(f"`{modulator}` " in told for modulator in phase.lean)
    assert all(f"`{modulator}` " in told for modulator in SCENARIOS[name].always)


def test_a_mirrored_scenario_tells_the_other_side() -> None:
    """trend_down is trend_up with the signs changed."""
    up, down = table(SCENARIOS["trend_up"]), table(SCENARIOS["trend_down"])
    assert "`long_bias`, side 1" in up
    assert "`short_bias`, side −1" in down
    drifts = [re.findall(r"`mu` (−?)[\d.]+", told) for told in (up, down)]
    assert drifts == [["", "−"], ["−", ""]]


def test_every_modulator_is_described() -> None:
    """With its neutral value, and none that there is not."""
    words = TEXT.partition("## Words")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| ([\d.]+) \|", words, re.MULTILINE)
    described = {name: float(neutral) for names, neutral in rows for name in re.findall(r"`(\w+)`", names)}
    assert described == {name: NEUTRAL[name] for name in LEANABLE}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_picture_is_there_as_its_command_makes_it(name: str) -> None:
    """Of that scenario, in that file, of that size."""
    words = shlex.split(COMMANDS[name])
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert words[:3] == ["feedsim", "inspect", f"synthetic:{name}"]
    assert given["--plot"] == f"docs/scenarios/{name}.png"
    data = (REPOSITORY / given["--plot"]).read_bytes()
    assert len(data) < LARGEST
    wide, high = struct.unpack(">II", data[16:24])
    assert f"{wide}x{high}" == given["--plot-size"]


# ---------------------------------------------------------------------------------------------- a scenario of one's own


def _own() -> str:
    (shown,) = re.findall(r"```toml\n(.*?)```", TEXT.partition("## Your own scenario")[2], re.DOTALL)
    return str(shown)


def _words(value: Any) -> Iterator[str]:
    """All keys of a TOML document, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)


def test_the_scenario_shown_is_accepted(tmp_path: Path) -> None:
    """And tells its label, its phases, both outcomes and its news."""
    (tmp_path / "my.toml").write_text(_own(), "utf-8")
    scenario = read_scenario(tmp_path / "my.toml")
    schedule = Schedule(scenario, seed=1, minutes=None, start_ns=START_NS)
    told = [schedule.truth(second) for second in range(6 * 3600)]
    assert {truth.label for truth in told} == {"none", "long_bias", "short_bias"}  # the last one is that of the news
    assert {"absorption", "squeeze", "flush", "shock"} <= {truth.phase for truth in told}
    assert {"held", "failed"} <= {truth.outcome for truth in told}


def test_the_scenario_shown_has_all_the_words() -> None:
    """Nothing can be said that the example does not say."""
    words = set(_words(tomllib.loads(_own())))
    for struct_type in (Scenario, Window, Phase, Iceberg, Decay, News):
        assert {field.name for field in msgspec.structs.fields(struct_type)} <= words, struct_type


# ------------------------------------------------------------------------------------------------------- make pictures


def test_the_script_makes_tables_and_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the command that stands on the page; one that fails is named and counted."""
    picture = tmp_path / "scenarios" / "chop.png"
    section = "### `{name}`\n\n```\nfeedsim inspect synthetic:{name} --plot {plot} {more}\n```\n"
    page = tmp_path / "page.md"
    page.write_text(
        section.format(name="chop", plot=picture, more="--symbols ES --minutes 1 --plot-size 600x400")
        + "\n<!-- table: chop -->\nold\n<!-- end of table -->\n\n"
        + section.format(name="nochop", plot=tmp_path / "no.png", more="--minutes 1"),
        "utf-8",
    )
    assert main([], page) == 1
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert table(SCENARIOS["chop"]) in page.read_text("utf-8")
    said = capsys.readouterr()
    assert "chop.png" in said.out
    assert "nochop: " in said.err
    with pytest.raises(SystemExit, match=r"slump: not in page\.md; it has chop, nochop"):
        main(["slump"], page)
