"""What README promises names tests, and each of them is there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.server import REPOSITORY

PAGES = ("README.md", "docs/topics/testing.md")
PROMISES = re.findall(r"^\| (\*\*.*?) \| (`tests/.*`) \|$", (REPOSITORY / "README.md").read_text(), re.MULTILINE)


def functions(file: str) -> set[str]:
    """The names of the functions of a module of tests."""
    tree = ast.parse((REPOSITORY / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_are_promises() -> None:
    """The pattern above finds the table, all of it."""
    table = (REPOSITORY / "README.md").read_text().partition("| promise | tests |")[2].partition("\n\n")[0]
    assert len(PROMISES) == table.count("\n| **") >= 10


@pytest.mark.parametrize(("promise", "tests"), PROMISES, ids=[re.sub(r"\W+", " ", name)[:30] for name, _ in PROMISES])
def test_every_promise_names_tests_that_exist(promise: str, tests: str) -> None:
    """Each as file::function."""
    named = re.findall(r"`([^`]*)`", tests)
    assert named
    for name in named:
        file, _, function = name.partition("::")
        assert function.startswith("test_")
        assert function in functions(file), name


@pytest.mark.parametrize("page", PAGES)
def test_files_of_tests_that_are_named_exist(page: str) -> None:
    """Anywhere on a page that speaks of tests."""
    named = re.findall(r"`(tests/[\w/]+\.\w+)", (REPOSITORY / page).read_text())
    assert named
    assert [name for name in named if not (REPOSITORY / name).is_file()] == []
