"""Columns as Arrow arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import CHANNELS, SCHEMAS, Field, Ragged
from feedsim.events.columns import to_python
from feedsim.recording.arrays import codes_from_arrow, from_arrow, nulls_of, strings_to_arrow, to_arrow
from tests.support.chunks import same_column, table

ROOT = Path(__file__).parents[2]
WITHOUT_PANDAS = """
import sys
from pathlib import Path
import tests.recording.no_pandas
from pathlib import Path
tests.recording.no_pandas.write_and_read(Path(sys.argv[1]))
sys.exit("pandas was imported" if "pandas" in sys.modules else 0)
"""


def fields(channel: str) -> list[Field]:
    """All that are stored by their kind; symbols are stored by their names."""
    return [field for field in SCHEMAS[channel].fields if field.name != "symbol"]


@pytest.mark.parametrize("channel", CHANNELS)
@given(rows=st.integers(0, 60), seed=st.integers(0, 2**32), start=st.integers(0, 10))
def test_columns_come_back_as_they_were(channel: str, rows: int, seed: int, start: int) -> None:
    """Every field of every channel survives, also out of the middle of an array."""
    made = table(channel, rows, seed)
    for field in fields(channel):
        column = made.columns[field.name]
        array = to_arrow(column, field)
        array.validate(full=True)
        assert same_column(from_arrow(array, field), column)
        cut = column.take(slice(start, None)) if isinstance(column, Ragged) else column[start:]
        assert same_column(from_arrow(array.slice(start), field), cut)


@pytest.mark.parametrize("channel", CHANNELS)
def test_arrow_sees_the_values_that_python_would(channel: str) -> None:
    """What pyarrow itself makes of a column's Python values is the same array."""
    made = table(channel, 50, 7)
    for field in fields(channel):
        column = made.columns[field.name]
        array = to_arrow(column, field)
        assert array.equals(pa.array(to_python(column, field), array.type))


def test_a_field_that_cannot_be_null_keeps_its_nan() -> None:
    """A recorder stores what was sent: NaN in a required field is no null."""
    field = SCHEMAS["trade"].field("price")
    array = to_arrow(np.array([1.0, np.nan]), field)
    assert array.null_count == 0
    assert nulls_of(array) is None
    assert np.isnan(from_arrow(array, field)[1])  # type: ignore[index]


@given(st.lists(st.sampled_from(["ES", "NQ", "??", None]), max_size=30))
def test_names_become_their_index(values: list[str | None]) -> None:
    """A name that is not known, and a null, are -1."""
    names = ["ES", "NQ"]
    codes = codes_from_arrow(pa.array(values, pa.string()), strings_to_arrow(names))
    assert codes.tolist() == [names.index(value) if value in names else -1 for value in values]


def test_pandas_is_not_imported(tmp_path: object) -> None:
    """Writing a recording and replaying it does not pay for pandas."""
    subprocess.run([sys.executable, "-c", WITHOUT_PANDAS, str(tmp_path)], check=True, timeout=60, cwd=ROOT)
