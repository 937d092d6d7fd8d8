"""The daily report from a real database and real Parquet: its figures, its forms, and what spreadsheets make of it."""

import csv
import io
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest
import sample
import sqlalchemy as sa

from reconcile.jobs.write_report import write_report
from reconcile.reports.daily import bounds, gather
from reconcile.store import audit, job_runs
from reconcile.store.tables import cases, statements

DAY = date(2024, 7, 9)
FILES = {"statement.csv", "cases.csv", "report.fr.html", "report.en.html", "report.fr.xlsx", "report.en.xlsx"}


@pytest.fixture
def facts(world):
    with world.database.begin() as connection:
        return gather(connection, world.lake, world.configuration.flows, day=DAY, now=sample.NOW).flows[0]


@pytest.fixture
def files(world):
    return {Path(path).name: Path(path) for path in write_report(world, DAY)}


def test_a_report_is_six_files_in_the_folder_of_its_day(world, files):
    assert set(files) == FILES
    folder = world.configuration.path(world.configuration.reports.path) / "2024-07-09"
    assert {path.name for path in folder.iterdir()} == FILES
    with world.database.begin() as connection:
        assert job_runs.finished(connection, "write_report", sample.NOW)


def test_writing_it_again_gives_the_same_pages_and_lists(world, files):
    before = {name: path.read_bytes() for name, path in files.items() if not name.endswith("xlsx")}
    write_report(world, DAY)
    assert {name: files[name].read_bytes() for name in before} == before


def test_without_a_day_it_is_of_today_and_of_yesterday_where_that_has_a_statement(world):
    assert {Path(path).parent.name for path in write_report(world)} == {"2024-07-09"}
    with world.database.begin() as connection:
        connection.execute(sa.update(statements).values(day=date(2024, 7, 8)))
    assert {Path(path).parent.name for path in write_report(world)} == {"2024-07-08"}
    with world.database.begin() as connection:
        connection.execute(sa.delete(statements))
    assert {Path(path).parent.name for path in write_report(world)} == {"2024-07-09"}


def test_the_money_of_the_day_adds_up(facts):
    (money,) = facts.money
    assert (money.customers, money.wronged_count, money.wronged_minor) == (27, 27, 28_850)
    assert (money.recredited_count, money.recredited_minor) == (1, 1_050)
    assert (money.owed_count, money.owed_minor) == (26, 27_800)
    assert (money.excess_count, money.excess_minor) == (2, 1_750)
    assert money.wronged_minor == money.recredited_minor + money.settled_minor + money.owed_minor


def test_breaks_are_counted_by_what_they_were_and_how_long_they_lasted(facts):
    counted = {(row.kind, row.age): row.case_count for row in facts.breaks}
    assert counted == {
        ("never_credited", 0): 2,  # re-credited after 20 minutes; confirmed 29 minutes ago
        ("never_credited", 2): 24,
        ("misdirected", 3): 1,
        ("over_credited", 3): 1,
        ("orphan_credit", 4): 1,
    }
    assert sum(row.owed_minor for row in facts.breaks) == facts.money[0].owed_minor


def test_the_time_to_credit_is_measured_on_what_matching_tied_and_on_what_was_put_right(facts):
    by = {wait.by: (wait.credited_count, wait.median_seconds, wait.worst_seconds) for wait in facts.waits}
    assert by == {"operator": (2, 5, 8), "recredit": (1, 1230, 1230)}


def test_incidents_notices_promises_and_feeds_are_there(facts):
    (incident,) = facts.incidents
    assert (incident.row.case_count, incident.row.customers, incident.row.wronged_minor) == (24, 24, 25_200)
    assert sum(minute.confirmed for minute in incident.minutes) == 26
    assert {(row.event, row.channel, row.status): row.notice_count for row in facts.notices} == {
        ("detected", "sms", "delivered"): 1,
        ("credited", "sms", "delivered"): 1,
    }
    assert [(row.kind, row.status, row.promise_count) for row in facts.promises] == [("news_by", "kept", 1)]
    assert [(row.feed, row.raw_rows, row.published_rows) for row in facts.feeds] == [("smsc", 29, 29), ("ocs", 5, 5)]


def test_a_day_begins_and_ends_by_the_clock_of_its_flow():
    begin, until = bounds(date(2024, 11, 3), "America/Toronto")
    assert (until - begin).total_seconds() == 25 * 3600  # clocks go back that night
    assert begin.isoformat() == "2024-11-03T04:00:00+00:00"


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.names, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize(
    ("name", "title"), [("report.fr.html", "mardi 9 juillet 2024"), ("report.en.html", "Tuesday, 9 July 2024")]
)
def test_the_page_says_the_day_in_its_language_and_runs_no_script(files, name, title):
    text = files[name].read_text(encoding="utf-8")
    elements = Elements(text)
    assert title in text
    assert "script" not in elements.names
    assert not [
        attribute for attribute in elements.attributes if attribute.startswith("on") or attribute in {"style", "src"}
    ]
    assert "svg" in elements.names
    assert text.index('class="account"') < text.index('class="figures"'), "the statement comes first"


def test_no_phone_number_leaves_in_a_report(files):
    for name in ("report.fr.html", "cases.csv", "statement.csv"):
        text = files[name].read_text(encoding="utf-8")
        assert "+225" not in text
        assert "0707" not in text


def test_the_head_of_the_sealed_audit_stands_in_the_report(world):
    with world.database.begin() as connection:
        sealed = audit.seal(connection)
        head = connection.execute(
            sa.text("select chain_hash from audit where chain_position = :last"), {"last": sealed}
        ).scalar_one()
    page = next(path for path in write_report(world, DAY) if path.endswith("en.html"))
    assert head in Path(page).read_text(encoding="utf-8")


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_the_lists_add_up_to_the_figures(files, facts):
    listed = rows_of(files["cases.csv"])
    assert len(listed) == sum(row.case_count for row in facts.breaks)
    assert sum(int(row["owed"]) for row in listed if row["status"] == "open" and int(row["owed"]) > 0) == 27_800
    lines = {(row["side"], row["line"]): int(row["amount"]) for row in rows_of(files["statement.csv"])}
    assert lines["confirmation", "confirmed"] == 30_950
    assert {amount for (_, line), amount in lines.items() if line == "unexplained"} == {0}


def test_the_workbook_has_typed_columns_a_frozen_header_and_totals(files):
    book = openpyxl.load_workbook(files["report.en.xlsx"])
    assert book.sheetnames == ["Statement", "Breaks", "Cases", "Incidents", "Messages", "Feeds"]
    sheet = book["Cases"]
    headings = {cell.value: cell.column for cell in sheet[1]}
    assert sheet.freeze_panes == "B2"
    assert sheet.cell(2, headings["Amount"]).data_type == "n"
    assert isinstance(sheet.cell(3, headings["Confirmed"]).value, datetime)
    total = sheet.cell(sheet.max_row, headings["Owed"]).value
    assert total.startswith("=SUM(")
    shown = openpyxl.load_workbook(files["report.en.xlsx"], data_only=True)["Cases"]
    assert shown.cell(sheet.max_row, headings["Owed"]).value == 27_800 - 1_750


@pytest.mark.parametrize("evil", ["=HYPERLINK(0)", "+1+1", "-2+3", "@SUM(1)", "\t=1", " =1"])
def test_a_text_from_outside_never_becomes_a_formula(world, evil):
    with world.database.begin() as connection:
        connection.execute(
            sa.update(cases).where(cases.c.case_id == sample.case_id(sample.WAITING)).values(reference=evil)
        )
    files = {Path(path).name: Path(path) for path in write_report(world, DAY)}
    assert f"'{evil}" in {row["reference"] for row in rows_of(files["cases.csv"])}
    cells = [cell for row in openpyxl.load_workbook(files["report.fr.xlsx"])["Dossiers"].iter_rows() for cell in row]
    found = [cell for cell in cells if evil.strip() in str(cell.value)]
    assert [cell.data_type for cell in found] == ["s"]
