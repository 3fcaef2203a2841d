"""Load plans: what a file may say, what a step takes from another, and how wrong ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.errors import ConfigError
from feedsim.lab.latency.plan import Plan, Step, arguments_of, read_plan, scenario_of
from feedsim.market.scenario_file import read_scenario


def plan_of(folder: Path, text: str, *, given_server: bool = False) -> Plan:
    file = folder / "plan.toml"
    file.write_text(text)
    return read_plan(str(file), given_server=given_server)


def test_a_step_is_like_another_where_it_does_not_say(tmp_path: Path) -> None:
    """Over any number of steps, whatever their order in the file; a name is never taken over."""
    plan = plan_of(
        tmp_path,
        """
        [server]
        seed = 7
        [[step]]
        like = "busy"
        clients = 50
        [[step]]
        name = "busy"
        like = "calm"
        speed = 10
        [[step]]
        name = "calm"
        seconds = 3
        rate = 2
        """,
    )
    assert plan.server == {"seed": 7}
    assert plan.steps == (
        Step(name="1", seconds=3, speed=10, rate=2, clients=50),
        Step(name="busy", seconds=3, speed=10, rate=2),
        Step(name="calm", seconds=3, rate=2),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "step: expected one [[step]] or more"),
        ("step = 3", "step: expected one [[step]] or more"),
        ("[[steps]]\nspeed = 1", "steps: unknown word; there are: server, step"),
        ("[[step]]\nspeeed = 1", "step 1.speeed: unknown word; there are: like, name, seconds, speed, rate, clients"),
        ("[[step]]\nspeed = 0", "step 1 (1).speed: 0: "),
        ('[[step]]\nspeed = "fast"', "step 1 (1).speed: 'fast': "),
        ("[[step]]\nclients = 0", "step 1 (1).clients: 0: Expected `int` >= 1"),
        ("[[step]]\nclients = 2.5", "step 1 (1).clients: 2.5: Expected `int`"),
        ("[[step]]\nrate = 100", "step 1 (1).rate: 100: Expected `float` <= 20.0"),
        ('[[step]]\nburst = "close"', "step 1 (1).burst: 'close': allowed: none, open, news"),
        ('[[step]]\nname = "a"\n[[step]]\nname = "a"', "step 2.name: 'a': expected a text that no other step has"),
        ('[[step]]\nname = "a"\nlike = "b"', "step 1 (a).like: 'b': no such step; there are: a"),
        ('[[step]]\nname = "a"\nlike = "a"', "step 1 (a).like: a cycle: a is like a"),
        (
            '[[step]]\nname = "x"\nlike = "a"\n[[step]]\nname = "a"\nlike = "b"\n[[step]]\nname = "b"\nlike = "a"',
            "step 1 (x).like: a cycle: a is like b is like a",
        ),
        ("[server]\nsped = 1\n[[step]]", "server.sped: unknown setting; there are: balance"),
        ("[server]\nspeed = 2\n[[step]]", "server.speed: the plan's steps say this"),
        ("[server]\nseed = -1\n[[step]]", "server.seed: -1: "),
        (
            '[server]\nsource = "day/"\n[[step]]\nrate = 2',
            "step 1 (1).rate: only synthetic: can be changed so",
        ),
        ('[server]\nscenario = "chop"\n[[step]]\nburst = "news"', "step 1 (1).burst: this makes a scenario of its own"),
        ("[[step]\n", "not valid TOML"),
    ],
)
def test_a_wrong_plan_is_refused_with_file_and_field(tmp_path: Path, text: str, told: str) -> None:
    """And with what is allowed; nothing was started."""
    with pytest.raises(ConfigError) as refused:
        plan_of(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'plan.toml'}: {told}")


@pytest.mark.parametrize("text", ["[server]\nseed = 1\n[[step]]", "[[step]]\nrate = 2", '[[step]]\nburst = "news"'])
def test_a_server_that_runs_keeps_its_market(tmp_path: Path, text: str) -> None:
    """What only a server of the plan's own can do is refused."""
    plan_of(tmp_path, text)
    with pytest.raises(ConfigError, match=r"leave this table away|cannot be changed"):
        plan_of(tmp_path, text, given_server=True)


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    """One line with its name."""
    with pytest.raises(ConfigError, match=r"nothing\.toml: cannot be read"):
        read_plan(str(tmp_path / "nothing.toml"), given_server=False)


@pytest.mark.parametrize("step", [Step(name="a", rate=2.5), Step(name="b", burst="news", speed=10, rate=0.5)])
def test_what_a_step_asks_of_the_market_is_a_scenario(tmp_path: Path, step: Step) -> None:
    """One that the market takes: its activity, and news within the step."""
    text = scenario_of(step)
    assert text is not None
    (tmp_path / "load.toml").write_text(text)
    scenario = read_scenario(tmp_path / "load.toml")
    assert scenario.always == {"act_mult": step.rate}
    assert len(scenario.news) == (step.burst == "news")
    if scenario.news:
        assert 0 < float(scenario.news[0].at) * 60 < step.seconds * float(step.speed)


def test_a_step_without_wishes_leaves_the_market_alone() -> None:
    """No scenario; a quiet hour, unless the plan names a time or the step wants the open."""
    plain = Step(name="a", clients=3)
    plan = Plan(steps=(plain,))
    assert scenario_of(plain) is None
    plain_words = arguments_of(plan, plain, config="c", scenario=None)
    assert plain_words == ["--config", "c", "--speed", "1.0", "--wait-clients", "3", "--start", "11:00"]
    opening = arguments_of(plan, Step(name="b", burst="open"), config="c", scenario=None)
    assert opening[-2:] == ["--start", "09:30"]
    named = Plan(steps=(plain,), server={"start": "14:00"})
    assert "--start" not in arguments_of(named, plain, config="c", scenario=None)
