import re
from datetime import date
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from reconcile.desk.guard import needs
from reconcile.desk.page import Page, Viewing
from reconcile.desk.roles import Permission
from reconcile.reports.files import ReportFile, report_files
from reconcile.store import audit

router = APIRouter(prefix="/reports")

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.\-]{0,80}")


@router.get("", dependencies=[needs(Permission.SEE_REPORTS)])
def listed(page: Viewing) -> Response:
    """The report files of each day."""
    return page.show("reports.html", days=_days(page))


@router.get("/{day}/{name}", dependencies=[needs(Permission.SEE_REPORTS)])
def download(page: Viewing, day: date, name: str) -> Response:
    """One file, only if the list names it: no path from outside is ever opened."""
    file = next((file for file in _days(page).get(day, []) if file.name == name and _NAME.fullmatch(name)), None)
    if file is None:
        raise HTTPException(404)
    with page.world.database.begin() as connection:
        audit.record(
            connection,
            at=page.world.clock.now(),
            actor=page.viewer.actor,
            action="report fetched",
            subject=("report", f"{day}/{name}"),
            reason="asked for at the desk",
        )
    shown = file.media_type == "text/html"
    return FileResponse(
        file.path,
        media_type=file.media_type,
        filename=name,
        content_disposition_type="inline" if shown else "attachment",
    )


def _days(page: Page) -> dict[date, list[ReportFile]]:
    configuration = page.world.configuration
    return report_files(configuration.path(configuration.reports.path))
