"""A server in a thread of its own, for tests: the real one, on a free port of this machine."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

from feedsim.config import ServeSettings, load

if TYPE_CHECKING:
    from feedsim.app.service import Service

START_S = 120.0  # a market that is compiled for the first time, on a busy machine
END_S = 10.0


class ServerThread:
    """`with ServerThread(scenario="trend_up", seed=7) as server:` and connect to `server.url`.

    Takes the settings of `feedsim serve` by their names (`docs/operations.md`). Raises ConfigError for others, and, on
    the way out, whatever ended the server before its time.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = load(ServeSettings, given={"port": 0, **settings})
        self.url = ""
        """ws://127.0.0.1:… once it serves."""
        self._service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="feedsim server", daemon=True)

    def __enter__(self) -> ServerThread:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when it serves."""
        self._thread.start()
        if not self._ready.wait(START_S):
            raise TimeoutError(f"the server did not start within {START_S:.0f} s")
        if self._failure is not None:
            self._thread.join(END_S)
            raise self._failure

    def stop(self) -> None:
        """Send the clients away and end; return when it is gone."""
        if self._loop is not None and self._service is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._service.stop)
        self._thread.join(END_S)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _serve(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        from feedsim.app.service import Service

        self._loop = asyncio.get_running_loop()
        service = self._service = Service(self.settings)
        await service.start()
        self.url = f"ws://{self.settings.host}:{service.port}"
        self._ready.set()
        try:
            await service.run()
        finally:
            await service.close()
