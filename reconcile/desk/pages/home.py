from fastapi import APIRouter
from starlette.responses import Response

from reconcile.desk import incident_file, queues
from reconcile.desk.guard import needs
from reconcile.desk.page import Viewing
from reconcile.desk.roles import Permission

router = APIRouter()


@router.get("/", dependencies=[needs(Permission.SEE_CASES)])
def home(page: Viewing) -> Response:
    """One search field, and what waits."""
    now = page.world.clock.now()
    with page.world.database.begin() as connection:
        return page.show(
            "home.html",
            headlines=queues.headlines(connection, now),
            flows=queues.flows(connection),
            feeds=queues.feed_rows(connection),
            incidents=[row for row in incident_file.listed(connection) if row.status != "closed"],
        )
