"""Rows of orders from where they are: a running server's /reactions, a recording's folder, or a file."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from feedsim.errors import FeedsimError, SourceError
from feedsim.wire.reactions import FILE, Reaction, Reactions, read_lines

ANSWER_S = 30.0


def page_of(url: str, path: str, *, token: str | None = None) -> bytes:
    """What the server at ws://… says to plain HTTP. Raises FeedsimError."""
    parts = urlsplit(url)
    page = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}{path}"
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(page, headers=headers)  # noqa: S310 # of http or https
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
            return bytes(answer.read())
    except OSError as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        raise FeedsimError(f"{page}: {error}") from None


def fetch(url: str, *, token: str | None = None, after: int = 0) -> tuple[Reactions, list[Reaction]]:
    """What a server has timed behind its `after`-th order. Raises FeedsimError, SourceError."""
    path = f"/reactions?after={after}"
    head, rows = read_lines(page_of(url, path, token=token), origin=path)
    if head is None:
        raise SourceError("expected a line that says what the rows are", file=path, row=1)
    return head, rows


def read(path: Path) -> list[Reaction]:
    """What was kept beside a recording, or in a file. Raises SourceError."""
    file = path / FILE if path.is_dir() else path
    try:
        return read_lines(file.read_bytes(), origin=str(file))[1]
    except OSError as error:
        raise SourceError(error.strerror or str(error), file=str(file)) from None
