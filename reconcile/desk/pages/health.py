from fastapi import APIRouter, Response
from starlette.requests import Request

from reconcile.desk.page import desk_of
from reconcile.store.database import DatabaseUnavailableError

router = APIRouter()


@router.get("/health")
def health(request: Request) -> Response:
    """For supervisors of the process: whether it answers and reaches its database; nothing else is told."""
    try:
        desk_of(request).world.database.check()
    except DatabaseUnavailableError:
        return Response("database unavailable\n", status_code=503, media_type="text/plain")
    return Response("ok\n", media_type="text/plain")
