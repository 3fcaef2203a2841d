"""What the WebSocket port says to plain HTTP, and who may open a WebSocket at all: paths, origins, tokens."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

# Pages that a user opens on this machine; other origins must be named.
LOCAL_ORIGIN = re.compile(r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$")

Page = Callable[[str], tuple[str, bytes]]
"""Gives a content type and a body, of what follows the question mark."""


@dataclass(frozen=True)
class Gate:
    """Answers plain requests and refuses handshakes that are not allowed; `check` is `process_request`."""

    pages: dict[str, Page]
    origins: tuple[str, ...]
    token: str | None
    on_refused: Callable[[str], None]
    guarded: frozenset[str] = frozenset()
    """Pages that want the token, where there is one."""

    def check(self, _: ServerConnection, request: Request) -> Response | None:
        path, *query = request.path.split("?", 1)
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            return self._page(path, "".join(query), request)
        if path not in ("/", "/ws"):
            return _plain(HTTPStatus.NOT_FOUND, "the WebSocket is at / (or /ws)")
        origin = request.headers.get("Origin")
        if not self.allows(origin):
            return self._refuse(HTTPStatus.FORBIDDEN, "origin", f"origin {origin} is not allowed here (--origin)")
        if self._bearer(request) is False:
            return self._refuse(HTTPStatus.UNAUTHORIZED, "token", "the token is wrong")
        return None

    def authorized(self, request: Request | None) -> bool:
        """Whether the handshake already brought the right token."""
        return self.token is None or (request is not None and self._bearer(request) is True)

    def _bearer(self, request: Request) -> bool | None:
        """Whether the Authorization header is right; None without one."""
        header = request.headers.get("Authorization")
        if self.token is None or header is None:
            return None
        return hmac.compare_digest(header.encode(), f"Bearer {self.token}".encode())

    def allows(self, origin: str | None) -> bool:
        """Whether a page of this origin (None: no page) may open a WebSocket."""
        return origin is None or "*" in self.origins or origin in self.origins or LOCAL_ORIGIN.match(origin) is not None

    def _refuse(self, status: HTTPStatus, reason: str, text: str) -> Response:
        self.on_refused(reason)
        return _plain(status, text)

    def _page(self, path: str, query: str, request: Request) -> Response:
        page = self.pages.get(path)
        if path in self.guarded and not self.authorized(request):
            return self._refuse(HTTPStatus.UNAUTHORIZED, "token", "this page wants the token: Authorization: Bearer …")
        if page is None:
            known = ", ".join(sorted(self.pages))
            return _plain(HTTPStatus.NOT_FOUND, f"nothing here; a WebSocket at /, pages at {known}")
        content_type, body = page(query)
        return _response(HTTPStatus.OK, content_type, body)


def _plain(status: HTTPStatus, text: str) -> Response:
    return _response(status, "text/plain; charset=utf-8", f"{text}\n".encode())


def _response(status: HTTPStatus, content_type: str, body: bytes) -> Response:
    headers = Headers(
        [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            ("X-Content-Type-Options", "nosniff"),
        ]
    )
    return Response(status.value, status.phrase, headers, body)
