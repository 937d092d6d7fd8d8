"""What machines ask of the desk: whether it lives, whether it can serve, and the figures of the installation.

No session and no page: a load balancer reads the status alone. Details need the bearer token of `desk.monitor_token`.
"""

import asyncio
import secrets
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from reconcile.desk.monitor import Monitor, NotNowError
from reconcile.desk.page import desk_of
from reconcile.metrics import prometheus

ANSWER_LIMIT_SECONDS: Final = 4.0
"""Load balancers give up after five."""

router = APIRouter()


@router.get("/health/live")
def live() -> Response:
    """The process answers. Nothing else is looked at: to restart it mends nothing else."""
    return Response("ok\n", media_type="text/plain")


@router.get("/health")
@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Whether agents can work with it: 200 or 503; why not is only told to whoever has the token."""
    monitor = desk_of(request).monitor
    try:
        checks = await asyncio.wait_for(asyncio.to_thread(monitor.checks), ANSWER_LIMIT_SECONDS)
    except (TimeoutError, NotNowError):
        checks = {"answer": f"not within {ANSWER_LIMIT_SECONDS:g} seconds"}
    is_ready = all(problem is None for problem in checks.values())
    status = 200 if is_ready else 503
    if _may_see(request, monitor):
        told = {name: problem or "ok" for name, problem in checks.items()}
        return JSONResponse({"ready": is_ready, "checks": told}, status_code=status)
    return Response("ok\n" if is_ready else "not ready\n", status_code=status, media_type="text/plain")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """All figures, as Prometheus reads them."""
    monitor = desk_of(request).monitor
    if monitor.token is None:
        raise HTTPException(404)
    if not _may_see(request, monitor):
        return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer realm="reconcile"'})
    try:
        points = await asyncio.wait_for(asyncio.to_thread(monitor.points), ANSWER_LIMIT_SECONDS)
    except (TimeoutError, NotNowError):
        return Response("not now\n", status_code=503, media_type="text/plain")
    return Response(prometheus.exposition(points), headers={"Content-Type": prometheus.CONTENT_TYPE})


def _may_see(request: Request, monitor: Monitor) -> bool:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    return (
        monitor.token is not None
        and kind.lower() == "bearer"
        and secrets.compare_digest(given.strip().encode(), monitor.token.encode())
    )
