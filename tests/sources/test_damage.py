"""Files of every kind with a bit turned over or the end missing: what they have, or one error that says so."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from feedsim.config import ServeSettings, load
from feedsim.errors import ConfigError, FeedsimError
from tests.support.specimens import MAKE, read_all, specimen

OFFSETS = 200


def read_damaged(source: Path, file: Path, data: bytes) -> str:
    """How it ends; anything but rows or an error of the tree is raised."""
    file.write_bytes(data)
    refused: FeedsimError | None = None
    try:
        read_all(source)
    except FeedsimError as error:
        refused = error
    assert "\n" not in str(refused)
    return "read" if refused is None else "refused"


@pytest.mark.parametrize("kind", MAKE)
def test_a_file_that_ends_too_early(kind: str, tmp_path: Path) -> None:
    """Cut at 200 places, the first and the last byte among them; of chart files only the whole lines are read, since
    they are written line by line.
    """
    source, file = specimen(kind, tmp_path)
    assert read_all(source) > 0
    whole = file.read_bytes()
    step = max(len(whole) // OFFSETS, 1)
    ends = [*range(0, len(whole), step), len(whole) - 1]
    seen = Counter(read_damaged(source, file, whole[:end]) for end in ends)
    assert len(ends) >= min(OFFSETS, len(whole))
    assert (seen["refused"] > 0) is not kind.startswith("chart"), seen


@pytest.mark.parametrize("kind", MAKE)
def test_a_file_with_a_bit_turned_over(kind: str, tmp_path: Path) -> None:
    """At 200 places, drawn from a seed; one bit at each."""
    rng = random.Random(kind)
    source, file = specimen(kind, tmp_path)
    whole = file.read_bytes()
    seen: Counter[str] = Counter()
    for _ in range(OFFSETS):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        seen[read_damaged(source, file, bytes(data))] += 1
    assert seen["refused"] > 0, seen


SETTINGS = b"""source = "recordings/monday"  # \xc3\xa9
speed = 10
port = 8765
bar_tf_s = [1, 5, 60]

[offer]
tuesday = "recordings/tuesday"
"""


def test_a_settings_file_that_is_damaged(tmp_path: Path) -> None:
    """Cut anywhere, or with any one bit turned over: settings, or one line that names the file."""
    file = tmp_path / "c.toml"
    damaged = [SETTINGS[:end] for end in range(len(SETTINGS))]
    for at in range(len(SETTINGS) * 8):
        turned = bytearray(SETTINGS)
        turned[at // 8] ^= 1 << at % 8
        damaged.append(bytes(turned))
    refused: list[str] = []
    for data in damaged:
        file.write_bytes(data)
        try:
            load(ServeSettings, given={}, file=str(file))
        except ConfigError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert all(text.startswith(str(file)) and "\n" not in text for text in refused)
