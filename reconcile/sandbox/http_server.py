"""uvicorn as one of several servers in one process, plus the one thing no ASGI application can do: drop the line."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

GRACE_SECONDS: Final = 1
KEEP_ALIVE_SECONDS: Final = 30
_DROP: Final = "reconcile.sandbox.drop_line"


class HttpServer(uvicorn.Server):
    """Serves one application on one bound socket and leaves signals to the process that owns it."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        """Serve `app` on `listener`, which the server closes when it stops."""
        config = uvicorn.Config(
            app,
            http=_DroppableProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)
        self._listener = listener
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so by `ready`."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def run_until_stopped(self) -> None:
        """Serve until `should_exit` is set."""
        await self.serve(sockets=[self._listener])


class _DroppableProtocol(H11Protocol):
    """Hands each request the means to cut its own connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        app = self.app

        async def with_line(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, _DROP: transport.abort}, receive, send)

        self.app = with_line


class _Silence(Response):
    """Sends nothing: the connection is gone."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        """Wait until uvicorn has seen that the connection is gone, else it would complain about the silence."""
        while (await receive())["type"] != "http.disconnect":
            pass


async def drop_line(request: Request) -> Response:
    """Cut the connection without a word."""
    request.scope[_DROP]()
    return _Silence()


async def body_within(request: Request, limit_bytes: int) -> bytes:
    """The body of a request; raises HTTPException 413 when it is longer than `limit_bytes`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise HTTPException(413)
    return bytes(body)
