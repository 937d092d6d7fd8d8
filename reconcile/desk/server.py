"""The desk as an ASGI application."""

from pathlib import Path
from typing import Any, Final

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from reconcile.desk.background import background
from reconcile.desk.guard import SignInNeededError, guard
from reconcile.desk.page import Desk, bare_page
from reconcile.desk.pages import (
    approvals,
    cases,
    flows,
    health,
    home,
    incidents,
    quarantine,
    reports,
    search,
    sign_in,
    statements,
)
from reconcile.desk.protection import SECURITY_HEADERS, Protection
from reconcile.jobs.world import World

_STATIC: Final = Path(__file__).resolve().parent / "static"
_PAGES: Final = (health, sign_in, home, search, cases, incidents, approvals, flows, quarantine, statements, reports)


def create_app(world: World) -> FastAPI:
    """The pages over one world. Every route needs a session and a permission, unless `guard.OPEN_PATHS` names it."""
    app = FastAPI(
        title="reconcile desk",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(guard)],
        lifespan=lambda _: background(world),
    )
    app.state.desk = Desk(world)
    for page in _PAGES:
        app.include_router(page.router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.router.routes.append(Route("/favicon.ico", _to_mark))
    app.add_middleware(Protection)
    handlers: dict[Any, Any] = {
        SignInNeededError: _to_sign_in,
        HTTPException: _http_problem,
        RequestValidationError: _not_understood,
        Exception: _failure,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    return app


def _to_mark(_: Request) -> Response:
    # What a browser asks for by itself beside a page that names no icon, such as a report.
    return RedirectResponse("/static/mark.svg", status_code=308)


def _to_sign_in(request: Request, _: SignInNeededError) -> Response:
    come_back = f"?next={request.url.path}" if request.method == "GET" and request.url.path != "/" else ""
    return RedirectResponse(f"/sign-in{come_back}", status_code=303)


def _http_problem(request: Request, problem: HTTPException) -> Response:
    known = problem.status_code if problem.status_code in {403, 404, 409, 413} else 400
    detail = problem.detail if known == 409 else ""
    return bare_page(request, "error.html", status=problem.status_code, key=f"error.{known}", detail=detail)


def _not_understood(request: Request, _: RequestValidationError) -> Response:
    return bare_page(request, "error.html", status=400, key="error.400", detail="")


def _failure(request: Request, _: Exception) -> Response:
    # Answered outside every middleware, so the headers are set here; the exception itself goes on to the server's log.
    return bare_page(request, "error.html", status=500, key="error.500", detail="", headers=SECURITY_HEADERS)
