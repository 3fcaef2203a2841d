"""`feedsim report` on sessions that a client traded on."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import feedsim as package
from feedsim.recording.manifest import Hole, read_manifest, write_manifest
from feedsim.tap.orders import read_orders
from feedsim.testing import ServerThread
from feedsim.wire.messages import AccountEvent
from tests.cli.calls import CommandLine


async def trade(url: str, lots: int) -> None:
    """Buy at three seconds, sell at eight, buy again at twelve and keep that."""
    async with package.connect(url, channels=["bar"], symbols=["ES"], tf_s=[1]) as feed:
        bars = 0
        async for _ in feed:
            bars += 1
            if bars in (3, 12):
                await feed.buy("ES", lots)
            if bars == 8:
                await feed.sell("ES", lots)


def traded(folder: Path, lots: int, **settings: Any) -> Path:
    given = {"seed": 5, "minutes": 0.3, "lockstep": True, "wait_clients": 1, "exit_at_end": True}
    with ServerThread(tap=str(folder), **(given | settings)) as server:
        asyncio.run(trade(server.url, lots))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Traded in the shadow of its tape."""
    return traded(tmp_path_factory.mktemp("runs") / "run", 2)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Traded in the market itself."""
    return traded(tmp_path_factory.mktemp("runs") / "moved", 300, impact="shared", balance=1e8)


def test_json_agrees_with_the_log(run: Path, feedsim: CommandLine) -> None:
    """Money, to the cent, with the last thing that the account heard; trades and fills with the orders."""
    report = json.loads(feedsim("report", str(run), "--json", "-").out)
    orders = read_orders(run)
    assert orders is not None
    last = [event for _, event in orders.heard if isinstance(event, AccountEvent)][-1]
    assert (report["together"]["gross"], report["together"]["fees"]) == (last.realized, last.fees)
    assert last.balance == pytest.approx(100_000 + last.realized - last.fees)
    (trip,) = report["trips"]
    assert (trip["quantity"], trip["entry_order"], trip["exit_order"]) == (2, "order-1", "order-2")
    assert trip["mae"] <= trip["gross"] <= trip["mfe"]
    assert [fill["side"] for fill in report["fills"]] == ["buy", "sell", "buy"]
    assert report["equity"][0]["equity"][-1] == report["together"]["equity"]
    assert all(account not in json.dumps(report) for account, _ in orders.heard)


def test_tables_page_and_picture(run: Path, tmp_path: Path, feedsim: CommandLine) -> None:
    """The table tells every figure; page and picture are written, the page with a mark for each fill."""
    page, picture = tmp_path / "run.html", tmp_path / "run.png"
    said = feedsim("report", str(run), "--html", str(page), "--png", str(picture), "--png-size", "900x600")
    assert said.code == 0
    assert said.err == f"written into {page}\ndrawn into {picture}\n"
    for name in ("P&L net", "drawdown", "slippage of takers", "maker share", "queue time", "fill ratio", "MAE", "MFE"):
        assert name in said.out
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = page.read_text("utf-8")
    assert text.count('class="fill"') == 3
    assert "{{" not in text
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert _unclosed(text) == []


def _unclosed(text: str) -> list[str]:
    """Elements of a page that are opened and not closed, or closed twice."""
    stack: list[str] = []
    wrong: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 # a parser's signature
            if tag != "meta":
                stack.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            """Opens nothing."""

        def handle_endtag(self, tag: str) -> None:
            if not stack or stack.pop() != tag:
                wrong.append(tag)

    Reader().feed(text)
    return wrong + stack


def test_without_the_orders(moved: Path, feedsim: CommandLine) -> None:
    """The same seed without them: the same price until the first fill, another one after 300 lots were bought."""
    report = json.loads(feedsim("report", str(moved), "--counterfactual", "--json", "-").out)
    (impact,) = report["impact"]
    first = impact["first_ns"]
    paths = list(
        zip(impact["ends_ns"], impact["with_orders"], impact["without_orders"], impact["impact_ticks"], strict=True)
    )
    before = [(one, other) for ns, one, other, _ in paths if ns < first]
    assert len(before) > 10
    assert all(one == other for one, other in before)
    assert impact["peak_ticks"] > 0
    assert all(
        moved == pytest.approx((one - other) / 0.25) for _, one, other, moved in paths if None not in (one, other)
    )


def test_a_hole_is_told(run: Path, tmp_path: Path, feedsim: CommandLine) -> None:
    """Prices around it hold on; whoever reads the report knows."""
    copy = tmp_path / "holed"
    shutil.copytree(run, copy)
    manifest = read_manifest(copy)
    manifest.holes.append(Hole(epoch=1, first_seq=10, last_seq=19, reason="disk too slow"))
    write_manifest(copy, manifest)
    said = feedsim("report", str(copy))
    assert said.code == 0
    assert "note: seq 10 to 19 was not recorded (disk too slow)" in said.out


def test_what_cannot_be_reported(run: Path, recording: Path, tmp_path: Path, feedsim: CommandLine) -> None:
    """No recording, nobody traded, no such epoch, nothing to compare with, no place for the page: a line each."""
    assert "a recording is a folder with a manifest.json" in feedsim.refused("report", str(tmp_path))
    assert "there is no orders.jsonl" in feedsim.refused("report", str(recording))
    assert "there are orders in 1" in feedsim.refused("report", str(run), "--epoch", "7")
    assert "did not enter the market" in feedsim.refused("report", str(run), "--counterfactual")
    assert "no such folder" in feedsim.refused("report", str(run), "--html", str(tmp_path / "no" / "p.html"))
    assert "there is no --png" in feedsim.refused("report", str(run), "--png-size", "900x600")
    assert "ends in .png" in feedsim.refused("report", str(run), "--png", "run.svg")


def test_a_damaged_log_is_refused(run: Path, tmp_path: Path, feedsim: CommandLine) -> None:
    """With the row that is wrong."""
    copy = tmp_path / "damaged"
    shutil.copytree(run, copy)
    lines = (copy / "orders.jsonl").read_bytes().split(b"\n")
    lines[2] = b'{"line":"heard"}'
    (copy / "orders.jsonl").write_bytes(b"\n".join(lines))
    assert "orders.jsonl, row 3: " in feedsim.refused("report", str(copy))
