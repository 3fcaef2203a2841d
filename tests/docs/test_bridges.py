"""The pages of the bridges: their examples run as they are shown, and print what is shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.support.server import REPOSITORY, ServerFactory, gateway_of

PAGES = REPOSITORY / "docs" / "bridges"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


def test_stdout_shows_the_first_trades_of_the_synthetic_market() -> None:
    """What jq is said to print of them."""
    page = (PAGES / "stdout.md").read_text()
    (shown,) = re.findall(r"\| head -3\n(.*?)```", page, re.DOTALL)
    command = [sys.executable, "-m", "feedsim", "serve", "--stdout", "--port", "0", "--speed", "max"]
    trades: list[list[object]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        while len(trades) < 3:
            event = json.loads(process.stdout.readline())
            if event["type"] == "trade":
                trades.append([event["symbol"], event["price"], event["size"]])
        process.stdout.close()
        assert process.wait(30) == 0
    assert trades == [json.loads(line) for line in shown.splitlines()]


def test_the_folder_of_chart_files_grows_for_the_reader_shown(tmp_path: Path, feedsim_server: ServerFactory) -> None:
    """It prints what is shown, but for the numbers, which depend on when it began."""
    page = (PAGES / "sierra.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (shown,) = re.findall(r"\$ python tail_bot.py mia 50\n(.*?)```", page, re.DOTALL)
    feedsim_server("--sierra", str(tmp_path), "--rebase", "now")
    command = [sys.executable, "-c", program, str(tmp_path), "20"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert re.sub(r"\d+", "0", run.stdout) == re.sub(r"\d+", "0", shown)
    assert [int(count) for count in re.findall(r"(\d+) lines", run.stdout)] > [100, 100]


def test_the_dtc_client_shown_buys_one_and_hears_of_its_fill(feedsim_server: ServerFactory) -> None:
    """It prints what is shown, but for prices and cash, which depend on when it came."""
    text = (PAGES / "dtc.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (shown,) = re.findall(r"\$ python buy_one.py 11099\n(.*?)```", text, re.DOTALL)
    server = feedsim_server("--dtc-es", "0", "--wait-clients", "1")
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=20) as page:  # after the greeting
        assert 'feedsim_bridge_clients{bridge="dtc"} 0.0' in page.read().decode()
    (port,) = re.findall(r"dtc +ES on 127.0.0.1:(\d+)", server.output)
    run = subprocess.run([sys.executable, "-c", program, port], capture_output=True, text=True, timeout=60, check=True)
    assert re.sub(r"\d+", "0", run.stdout) == re.sub(r"\d+", "0", shown)
    assert "filled, 1 at" in run.stdout


def test_databento_shows_the_first_quotes_of_the_synthetic_market(feedsim_server: ServerFactory) -> None:
    """The script of the page, run as it is but for the port, prints what the page shows."""
    page = (PAGES / "databento.md").read_text()
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (shown,) = re.findall(r"It prints\n\n```\n(.*?)```", page, re.DOTALL)
    (arguments,) = re.findall(r"\$ feedsim serve --databento 13000 (.*)", page)
    server = feedsim_server(*arguments.split(), "--databento", "0")
    script = script.replace("port=13000", gateway_of(server))
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert run.stdout == shown, run.stderr
