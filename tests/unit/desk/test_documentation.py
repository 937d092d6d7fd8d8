"""The documents name every page, permission, report file and query there is, and none that is not."""

import re
from pathlib import Path

import pytest

from reconcile import resources
from reconcile.desk import roles, server
from reconcile.reports.texts import LANGUAGES

DOCS = Path(__file__).parents[3] / "docs"
DESK = (DOCS / "desk.md").read_text(encoding="utf-8")
REPORTS = (DOCS / "reports.md").read_text(encoding="utf-8")


def pages():
    """Every route as the document writes it, with the permission that it needs."""
    for module in server._PAGES:
        for route in module.router.routes:
            needed = [one.dependency.permission for one in route.dependencies]
            prefix = "POST " if "POST" in route.methods else ""
            yield f"`{prefix}{route.path}`", needed[0] if needed else None


@pytest.mark.parametrize(("address", "permission"), list(pages()))
def test_every_page_is_documented_with_what_it_needs(address, permission):
    row = next((line for line in DESK.splitlines() if line.startswith("|") and address in line), None)
    assert row is not None, f"{address} is not in docs/desk.md"
    if permission is not None:
        assert row.rstrip().endswith(f"| `{permission}` |")


def test_no_page_is_documented_that_is_not_there():
    documented = set(re.findall(r"^\| (`[^`]+`)", DESK, flags=re.MULTILINE))
    known = {address for address, _ in pages()} | {f"`{role}`" for role in roles.Role}
    assert documented <= known


def test_every_query_of_the_reports_is_documented_and_says_what_it_promises():
    for file in (resources.folder("sql") / "reports").glob("*.sql"):
        assert f"`{file.stem}`" in REPORTS, file.name
        text = file.read_text(encoding="utf-8")
        for part in ("-- In: ", "-- Out: ", "-- Why right: "):
            assert part in text, (file.name, part)


def test_every_report_file_is_documented():
    for name in (
        "statement.csv",
        "cases.csv",
        *(f"report.{language}.{kind}" for language in LANGUAGES for kind in ("html", "xlsx")),
    ):
        assert f"`{name}`" in REPORTS
