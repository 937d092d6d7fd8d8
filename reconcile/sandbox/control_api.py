"""The sandbox's own controls over HTTP: clock, faults, books, persons."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconcile.sandbox.books import Snapshot, make_books
from reconcile.sandbox.credit import CreditStore
from reconcile.sandbox.fault import FaultStore
from reconcile.sandbox.http_server import body_within
from reconcile.sandbox.instants import from_iso, to_iso
from reconcile.sandbox.notice import NoticeStore
from reconcile.sandbox.person import Account, PersonError, do_round
from reconcile.sandbox.publisher import Publisher
from reconcile.sandbox.story import tell_story
from reconcile.sandbox.world import World

BODY_MAX_BYTES: Final = 16_384

_Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class ControlApi:
    """Answers whoever holds `token`."""

    token: str
    world: World
    publisher: Publisher
    credit_store: CreditStore
    notice_store: NoticeStore
    faults: FaultStore

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/health", self._guarded(self._health)),
                Route("/clock", self._guarded(self._show_clock)),
                Route("/clock", self._guarded(self._move_clock), methods=["POST"]),
                Route("/faults", self._guarded(self._show_faults)),
                Route("/faults", self._guarded(self._change_faults), methods=["POST"]),
                Route("/books", self._guarded(self._books)),
                Route("/books/story", self._guarded(self._story)),
                Route("/persons", self._guarded(self._persons), methods=["POST"]),
            ],
            exception_handlers={HTTPException: _refuse},
        )

    def _guarded(self, handler: _Handler) -> _Handler:
        expected = f"Bearer {self.token}".encode()

        async def answer(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, expected):
                raise HTTPException(401, "the header Authorization must be: Bearer <sandbox token>")
            return await handler(request)

        return answer

    async def _health(self, _request: Request) -> Response:
        world = {"seed": self.world.seed, "purchases": len(self.world.purchases)}
        return JSONResponse({"status": "ok", "clock": self._now(), **world})

    async def _show_clock(self, _request: Request) -> Response:
        return JSONResponse({"clock": self._now()})

    async def _move_clock(self, request: Request) -> Response:
        wish = await _object(request)
        try:
            to = from_iso(str(wish.get("to", "")))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        try:
            await self.publisher.advance(to)
        except ValueError as error:
            raise HTTPException(409, str(error)) from error
        return JSONResponse({"clock": self._now()})

    async def _show_faults(self, _request: Request) -> Response:
        return JSONResponse(self.faults.values())

    async def _change_faults(self, request: Request) -> Response:
        wish = await _object(request)
        try:
            return JSONResponse(self.faults.change(wish))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error

    async def _books(self, _request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(make_books, self._snapshot()))

    async def _story(self, _request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(tell_story, self._snapshot()))

    async def _persons(self, request: Request) -> Response:
        wish = await _object(request)
        desk_url, maker, approver = str(wish.get("desk_url", "")), _account(wish, "maker"), _account(wish, "approver")
        try:
            return JSONResponse(await do_round(desk_url, maker, approver))
        except PersonError as error:
            raise HTTPException(502, str(error)) from error

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            world=self.world,
            now=self.publisher.clock.now(),
            ticks=tuple(self.publisher.ticks()),
            credits_made=tuple(self.credit_store.effective()),
            notices=tuple(self.notice_store.all()),
            fault_rates=self.faults.values(),
        )

    def _now(self) -> str:
        return to_iso(self.publisher.clock.now())


async def _object(request: Request) -> dict[str, object]:
    try:
        wish = json.loads(await body_within(request, BODY_MAX_BYTES))
    except ValueError:
        wish = None
    if not isinstance(wish, dict):
        raise HTTPException(400, "the body must be a JSON object")
    return wish


def _account(wish: dict[str, object], name: str) -> Account:
    given = wish.get(name)
    if isinstance(given, dict) and isinstance(given.get("username"), str) and isinstance(given.get("password"), str):
        return Account(given["username"], given["password"])
    raise HTTPException(400, f'{name} must be {{"username": …, "password": …}}')


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it alone"
    return JSONResponse({"error": error.detail}, status_code=error.status_code)
