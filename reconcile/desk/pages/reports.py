import base64
import hashlib
import re
from datetime import date
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

from reconcile.desk.guard import needs
from reconcile.desk.page import Page, Viewing
from reconcile.desk.protection import SECURITY_HEADERS
from reconcile.desk.roles import Permission
from reconcile.reports.files import ReportFile, report_files
from reconcile.store import audit

router = APIRouter(prefix="/reports")

_STYLE: Final = re.compile("<style>(.*?)</style>", re.DOTALL)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.\-]{0,80}")


@router.get("", dependencies=[needs(Permission.SEE_REPORTS)])
def listed(page: Viewing) -> Response:
    """The report files of each day, those in the viewer's language first."""
    own = f".{page.language}."
    days = {day: sorted(files, key=lambda one: (own not in one.name, one.name)) for day, files in _days(page).items()}
    return page.show("reports.html", days=days)


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
    if file.media_type == "text/html":
        html = file.path.read_text(encoding="utf-8")
        return HTMLResponse(html, headers={"Content-Security-Policy": _policy_of(html)})
    return FileResponse(file.path, media_type=file.media_type, filename=f"{day}-{name}")


def _policy_of(html: str) -> str:
    """A report carries its style inside, so that it can be opened anywhere: here exactly that style is allowed."""
    style = _STYLE.search(html)
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() if style else ""
    allowed = f"style-src 'sha256-{digest}'"
    return SECURITY_HEADERS["Content-Security-Policy"].replace("style-src 'self'", allowed)


def _days(page: Page) -> dict[date, list[ReportFile]]:
    configuration = page.world.configuration
    return report_files(configuration.path(configuration.reports.path))
