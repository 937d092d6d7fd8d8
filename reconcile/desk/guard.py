"""What stands before every page: a session, a permission and, for whatever changes something, the form's token."""

import secrets
from typing import Any, Final

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from reconcile.desk.page import desk_of
from reconcile.desk.roles import Permission, may

OPEN_PATHS: Final = frozenset({"/sign-in", "/health", "/health/live", "/health/ready", "/metrics"})
READING_METHODS: Final = frozenset({"GET", "HEAD"})


class SignInNeededError(Exception):
    """Nobody is signed in, or the session is over."""


async def guard(request: Request) -> None:
    """Runs before every route: finds the viewer, or raises; checks the token of each form that changes something."""
    if request.url.path in OPEN_PATHS:
        return
    desk = desk_of(request)
    viewer = await run_in_threadpool(desk.viewer, request)
    if viewer is None:
        raise SignInNeededError
    request.state.viewer = viewer
    if request.method not in READING_METHODS:
        form = await request.form()
        token = form.get("csrf_token")
        if not isinstance(token, str) or not secrets.compare_digest(token.encode(), viewer.csrf_token.encode()):
            raise HTTPException(403)


class Needs:
    """A route's dependency: the viewer's role must hold this permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission: Final = permission

    def __call__(self, request: Request) -> None:
        if not may(request.state.viewer.role, self.permission):
            raise HTTPException(403)


def needs(permission: Permission) -> Any:
    """For a route's `dependencies`: only roles with this permission get through, others are told 403."""
    return Depends(Needs(permission))
