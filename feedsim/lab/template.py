"""HTML pages that lie beside the code: their places, {{name}}, are filled with text that is HTML already."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources


def filled(package: str, values: Mapping[str, str]) -> str:
    """`page.html` of a package with its places filled."""
    page = resources.files(package).joinpath("page.html").read_text("utf-8")
    for name, value in values.items():
        page = page.replace("{{" + name + "}}", value)
    return page
