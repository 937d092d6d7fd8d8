"""The day as one HTML page: its own style inside, no script, ready to be printed; the first sheet is the statement."""

from pathlib import Path
from typing import Final

import jinja2

from reconcile.reports.breaks import AGES, by_kind
from reconcile.reports.curve import curve
from reconcile.reports.daily import DayReport
from reconcile.reports.feed_incident import waits_of
from reconcile.reports.formats import Formats
from reconcile.reports.templates import FOLDER
from reconcile.reports.texts import Texts

_STYLE: Final = FOLDER / "report.css"


def page(report: DayReport, texts: Texts) -> str:
    """The whole page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    zone = report.flows[0].flow.zone if report.flows else "UTC"
    formats = Formats(texts.language, zone)
    curves = {
        incident.row.incident_id: curve(incident.minutes, incident.row, texts=texts, formats=formats)
        for flow in report.flows
        for incident in flow.incidents
    }
    return environment.get_template("report.html").render(
        report=report,
        t=texts,
        f=formats,
        language=texts.language,
        ages=AGES,
        by_kind=by_kind,
        curves=curves,
        waits_of=waits_of,
        style=style(_STYLE),
    )


def style(path: Path) -> str:
    """A style sheet as it may stand inside a page."""
    text = path.read_text(encoding="utf-8")
    assert "</" not in text, "a style sheet that would end its own element"
    return text
