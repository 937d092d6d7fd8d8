from datetime import date

from fastapi import APIRouter
from starlette.responses import Response

from reconcile.desk.guard import needs
from reconcile.desk.page import Viewing
from reconcile.desk.roles import Permission
from reconcile.reports import statement

router = APIRouter()


@router.get("/statement", dependencies=[needs(Permission.SEE_STATEMENT)])
def statements(page: Viewing, day: date | None = None) -> Response:
    """Every flow and asset of one business day, line by line; without a day, the newest."""
    with page.world.database.begin() as connection:
        days = statement.days(connection)
        chosen = day or (days[0] if days else None)
        found = statement.of_day(connection, chosen) if chosen else []
    return page.show("statement.html", statements=found, day=chosen, days=days)
