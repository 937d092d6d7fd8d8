"""The lists of a day as CSV: machine names, ISO instants in UTC, decimal amounts in major units, accounts masked."""

import csv
import io
from datetime import UTC, datetime
from typing import Any, Final

from reconcile.domain.money import asset, to_decimal
from reconcile.domain.phone import masked
from reconcile.reports.cells import defused
from reconcile.reports.daily import DayReport

STATEMENT_COLUMNS: Final = ("flow", "asset", "day", "verdict", "side", "line", "rows", "amount")
CASE_COLUMNS: Final = (
    "case",
    "flow",
    "first_kind",
    "kind",
    "status",
    "disposition",
    "account",
    "reference",
    "asset",
    "confirmed",
    "owed",
    "recredited",
    "confirmed_at",
    "detected_at",
    "credited_at",
    "closed_at",
    "incident",
    "grade",
)


def statement_csv(report: DayReport) -> str:
    """Every line of every statement of the day."""
    rows = []
    for flow in report.flows:
        for one in flow.statements:
            head = (one.flow, one.asset, one.day.isoformat(), one.verdict)
            for side in one.sides:
                rows += [
                    (*head, side.name, line.name, line.rows, _amount(line.minor, one.asset))
                    for line in (*side.parts, side.total, side.unexplained)
                ]
            rows += [(*head, "balance", line.name, line.rows, _amount(line.minor, one.asset)) for line in one.balance]
    return _written(STATEMENT_COLUMNS, rows)


def cases_csv(report: DayReport) -> str:
    """Every case of the day."""
    rows = [
        (
            row.number,
            row.flow,
            row.first_kind,
            row.kind,
            row.status,
            row.disposition,
            masked(row.account),
            row.reference or "",
            row.asset,
            _amount(row.confirmed_minor, row.asset),
            _amount(row.owed_minor, row.asset),
            _amount(row.recredited_minor, row.asset),
            _instant(row.confirmed_at),
            _instant(row.detected_at),
            _instant(row.credited_at),
            _instant(row.closed_at),
            row.incident or "",
            row.grade,
        )
        for flow in report.flows
        for row in flow.cases
    ]
    return _written(CASE_COLUMNS, rows)


class _Number(str):
    """A figure of ours: its minus sign is one."""

    __slots__ = ()


def _amount(minor: int, code: str) -> _Number:
    return _Number(f"{to_decimal(minor, asset(code)):f}")


def _instant(instant: datetime | None) -> str:
    return "" if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell if isinstance(cell, int | _Number) else defused(cell) for cell in row])
    return text.getvalue()
