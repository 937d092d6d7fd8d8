"""The daily report, written as files: HTML and XLSX in each language, CSV once."""

import os
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from reconcile.jobs.world import World
from reconcile.reports import html, statement
from reconcile.reports.csv_files import cases_csv, statement_csv
from reconcile.reports.daily import DayReport, gather
from reconcile.reports.texts import LANGUAGES, texts_for
from reconcile.reports.workbook import workbook


def write_report(world: World, day: date | None = None) -> list[str]:
    """Writes the report of a business day below the configured folder, in place of an earlier one; returns its paths.

    Without a day: of today so far and, where it has a statement, of yesterday, since what happened late still moves.
    """
    written: list[str] = []
    with world.job("write_report") as run:
        root = world.configuration.path(world.configuration.reports.path)
        for one in [day] if day is not None else _days(world, run.now):
            with world.database.begin() as connection:
                # One snapshot: the figures of a report belong to one another.
                connection.execute(sa.text("set transaction isolation level repeatable read, read only"))
                report = gather(connection, world.lake, world.configuration.flows, day=one, now=run.now)
            written += _write(root / one.isoformat(), report)
        run.counts["files"] = len(written)
    return written


def _days(world: World, now: datetime) -> Sequence[date]:
    flows = world.configuration.flows
    today = now.astimezone(ZoneInfo(flows[0].zone if flows else "UTC")).date()
    yesterday = today - timedelta(days=1)
    with world.database.begin() as connection:
        known = set(statement.days(connection))
    return [one for one in (yesterday, today) if one in known] or [today]


def _write(folder: Path, report: DayReport) -> list[str]:
    contents: dict[str, bytes] = {
        "statement.csv": statement_csv(report).encode(),
        "cases.csv": cases_csv(report).encode(),
    }
    for language in LANGUAGES:
        texts = texts_for(language)
        contents[f"report.{language}.html"] = html.page(report, texts).encode()
        contents[f"report.{language}.xlsx"] = workbook(report, texts)
    folder.mkdir(parents=True, exist_ok=True)
    return [_replace(folder / name, content) for name, content in contents.items()]


def _replace(path: Path, content: bytes) -> str:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)
    return str(path)
