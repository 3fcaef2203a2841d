"""HTML pages that lie beside the code: their places, {{name}}, are filled with text that is HTML already.

All begin with one head, up to its styles: a page adds its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources


def filled(package: str, values: Mapping[str, str]) -> str:
    """`page.html` of a package with its places filled."""
    page = _text(package, "page.html").replace("{{head}}", _text("feedsim.lab", "head.html"))
    for name, value in values.items():
        page = page.replace("{{" + name + "}}", value)
    return page


def _text(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text("utf-8")
