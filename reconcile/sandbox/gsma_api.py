"""The charging API: GSMA Mobile Money 1.2 over HTTP, with faults."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconcile.sandbox.credit import Credit, CreditRequest, CreditStore
from reconcile.sandbox.fault import Fault, FaultStore
from reconcile.sandbox.gsma_message import (
    ApiError,
    check_caller,
    conflict,
    duplicate,
    not_found,
    read_request,
    request_state,
    transaction,
)
from reconcile.sandbox.http_server import body_within, drop_line

BODY_MAX_BYTES: Final = 16_384
POLLS_UNTIL_DONE: Final = 2
CALLBACK_TIMEOUT_SECONDS: Final = 2.0
CALLBACKS_MAX: Final = 100


@dataclass(slots=True)
class GsmaApi:
    """Answers calls out of the credit store; `api_key` None accepts any key."""

    credit_store: CreditStore
    faults: FaultStore
    api_key: str | None
    _callbacks: set[asyncio.Task[None]] = field(default_factory=set)

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/heartbeat", self._heartbeat),
                Route("/transactions/type/{type}", self._submit, methods=["POST"]),
                Route("/transactions/{reference}", self._transaction),
                Route("/requeststates/{server_id}", self._request_state),
                Route("/responses/{correlation_id}", self._response),
            ],
            exception_handlers={ApiError: _refuse},
        )

    async def _heartbeat(self, _request: Request) -> Response:
        return JSONResponse({"serviceStatus": "available"})

    async def _submit(self, request: Request) -> Response:
        body = await body_within(request, BODY_MAX_BYTES)
        wish = read_request(request.path_params["type"], request.headers, body, api_key=self.api_key)
        fault = self.faults.strike(wish.correlation_id, self.credit_store.count_try(wish.correlation_id))
        if fault is Fault.REQUEST_LOST:
            return await drop_line(request)
        known = self.credit_store.find(wish.correlation_id)
        if known is not None:
            raise duplicate() if known.request.body_hash == wish.body_hash else conflict()
        polls = POLLS_UNTIL_DONE if fault is Fault.PENDING_THEN_COMPLETED else 0
        credit = self.credit_store.make(wish, polls_until_done=polls)
        self._call_back(credit)
        return await self._answer(request, credit, fault)

    async def _answer(self, request: Request, credit: Credit, fault: Fault | None) -> Response:
        """Tell the caller, as far as the fault lets it; the credit is durable by now."""
        match fault:
            case Fault.REPLY_LOST:
                return await drop_line(request)
            case Fault.ERROR_AFTER_SUCCESS:
                raise ApiError(500, "internal", "genericError", "an internal error occurred")
            case Fault.DUPLICATE_400:
                raise duplicate()
            case Fault.SLOW:
                await asyncio.sleep(self.faults.slow_seconds)
            case _:
                pass
        return JSONResponse(request_state(credit), status_code=202)

    async def _transaction(self, request: Request) -> Response:
        return self._look_up(request, "reference", self.credit_store.poll_by_reference, transaction)

    async def _request_state(self, request: Request) -> Response:
        return self._look_up(request, "server_id", self.credit_store.poll_by_server_id, request_state)

    async def _response(self, request: Request) -> Response:
        return self._look_up(request, "correlation_id", self.credit_store.find, _link)

    def _look_up(
        self,
        request: Request,
        key: str,
        find: Callable[[str], Credit | None],
        show: Callable[[Credit], dict[str, object]],
    ) -> Response:
        check_caller(request.headers, self.api_key)
        credit = find(request.path_params[key])
        if credit is None:
            raise not_found(key)
        return JSONResponse(show(credit))

    def _call_back(self, credit: Credit) -> None:
        """Tell the caller's own address too, once and without insisting: who is called back asks anyway."""
        if credit.request.callback_url is None or len(self._callbacks) >= CALLBACKS_MAX:
            return
        task = asyncio.create_task(_post_back(credit.request, transaction(credit)))
        self._callbacks.add(task)
        task.add_done_callback(self._callbacks.discard)


async def _post_back(request: CreditRequest, body: dict[str, object]) -> None:
    url = httpx.URL(request.callback_url or "")
    if url.host not in {"127.0.0.1", "localhost"}:
        return
    try:
        async with httpx.AsyncClient(timeout=CALLBACK_TIMEOUT_SECONDS, trust_env=False) as client:
            await client.put(url, json=body, headers={"X-CorrelationID": request.correlation_id})
    except httpx.HTTPError:
        return  # a callback may be lost: that is what polling is for


def _link(credit: Credit) -> dict[str, object]:
    return {"link": f"/transactions/{credit.transaction_reference}"}


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError), "registered for it alone"
    return JSONResponse(error.body(), status_code=error.status)
