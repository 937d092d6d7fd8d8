"""The day as an XLSX workbook: typed columns, frozen headers, totals, in one language."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import xlsxwriter

from reconcile.domain.money import asset, to_decimal
from reconcile.domain.phone import masked
from reconcile.reports.breaks import AGES, by_kind
from reconcile.reports.cells import defused
from reconcile.reports.daily import DayReport, FlowDay
from reconcile.reports.formats import Formats
from reconcile.reports.texts import Texts

Kind = Literal["text", "count", "money", "instant", "seconds"]
_WIDTHS: Final[dict[Kind, int]] = {"text": 24, "count": 11, "money": 15, "instant": 19, "seconds": 12}
_ADDED_UP: Final = frozenset({"count", "money"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the key of its heading, what its cells are, and whether a total stands below it."""

    key: str
    kind: Kind = "text"
    total: bool = False


class _Book:
    def __init__(self, texts: Texts, zone: Any, made_at: datetime) -> None:
        self.texts = texts
        self.zone = zone
        self.bytes = io.BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self.book = xlsxwriter.Workbook(self.bytes, options)
        self.book.set_properties({"title": texts("report.title"), "created": made_at.replace(tzinfo=None)})
        self.heading = self.book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.total = {"bold": True, "top": 1}
        self._formats: dict[tuple[str, bool], Any] = {}

    def sheet(
        self, key: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], codes: Iterable[str | None]
    ) -> None:
        """One sheet; `codes` gives the asset of each row, by which its money is written. One asset alone is added up."""
        sheet = self.book.add_worksheet(self.texts(f"sheet.{key}")[:31])
        for number, column in enumerate(columns):
            sheet.set_column(number, number, _WIDTHS[column.kind])
            sheet.write_string(0, number, self.texts(f"column.{column.key}"), self.heading)
        sheet.freeze_panes(1, 1)
        rows, codes = list(rows), list(codes)
        for line, (row, code) in enumerate(zip(rows, codes, strict=True), start=1):
            for number, (column, value) in enumerate(zip(columns, row, strict=True)):
                self._cell(sheet, line, number, column, value, code)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
            self._totals(sheet, columns, rows, codes)

    def _cell(self, sheet: Any, line: int, number: int, column: Column, value: Any, code: str | None) -> None:
        if value is None:
            return
        style = self._format(column.kind, code)
        if column.kind == "money":
            sheet.write_number(line, number, to_decimal(value, asset(code or "UNIT")), style)
        elif column.kind in {"count", "seconds"}:
            sheet.write_number(line, number, value, style)
        elif column.kind == "instant":
            sheet.write_datetime(line, number, value.astimezone(self.zone).replace(tzinfo=None), style)
        else:
            sheet.write_string(line, number, defused(str(value)))

    def _totals(self, sheet: Any, columns: Sequence[Column], rows: list[Any], codes: list[str | None]) -> None:
        if not any(column.total for column in columns):
            return
        last = len(rows)
        sheet.write_string(last + 1, 0, self.texts("report.total"), self.book.add_format(self.total))
        one_asset = len(set(codes)) == 1
        for number, column in enumerate(columns):
            if not column.total or column.kind not in _ADDED_UP or (column.kind == "money" and not one_asset):
                continue
            cells = [row[number] or 0 for row in rows]
            shown = to_decimal(sum(cells), asset(codes[0] or "UNIT")) if column.kind == "money" else sum(cells)
            name = xlsxwriter.utility.xl_col_to_name(number)
            style = self._format(column.kind, codes[0], total=True)
            sheet.write_formula(last + 1, number, f"=SUM({name}2:{name}{last + 1})", style, shown)

    def _format(self, kind: Kind, code: str | None, *, total: bool = False) -> Any:
        exponent = asset(code).exponent if code and kind == "money" else 0
        pattern = {
            "money": "#,##0" + ("." + "0" * exponent if exponent else ""),
            "count": "#,##0",
            "seconds": "#,##0",
            "instant": "yyyy-mm-dd hh:mm:ss",
            "text": "@",
        }[kind]
        if (pattern, total) not in self._formats:
            self._formats[pattern, total] = self.book.add_format(
                {"num_format": pattern, **(self.total if total else {})}
            )
        return self._formats[pattern, total]


def workbook(report: DayReport, texts: Texts) -> bytes:
    """The workbook's bytes; instants are in the zone of the first flow."""
    zone = Formats(texts.language, report.flows[0].flow.zone if report.flows else "UTC").zone
    book = _Book(texts, zone, report.made_at)
    _statement(book, report.flows)
    _breaks(book, report.flows)
    _cases(book, report.flows)
    _incidents(book, report.flows)
    _notices(book, report.flows)
    _feeds(book, report.flows)
    book.book.close()
    return book.bytes.getvalue()


def _statement(book: _Book, flows: list[FlowDay]) -> None:
    columns = [
        Column("flow"),
        Column("asset"),
        Column("verdict"),
        Column("side"),
        Column("line"),
        Column("rows", "count"),
        Column("value", "money"),
    ]
    rows: list[tuple[Any, ...]] = []
    codes: list[str | None] = []
    for one in (one for flow in flows for one in flow.statements):
        head = (one.flow, one.asset, book.texts.word("verdict", one.verdict))
        for side in one.sides:
            name = book.texts.word("side", side.name)
            rows += [
                (*head, name, book.texts.word(f"line.{side.name}", line.name), line.rows, line.minor)
                for line in (*side.parts, side.total)
            ]
            rows.append((*head, name, book.texts("line.unexplained"), side.unexplained.rows, side.unexplained.minor))
        name = book.texts("statement.balance")
        rows += [
            (*head, name, book.texts.word("line.balance", line.name), line.rows, line.minor) for line in one.balance
        ]
        codes += [one.asset] * (len(rows) - len(codes))
    book.sheet("statement", columns, rows, codes)


def _breaks(book: _Book, flows: list[FlowDay]) -> None:
    columns = [
        Column("flow"),
        Column("kind"),
        *(Column(f"age.{age}", "count", total=True) for age in AGES),
        Column("cases", "count", total=True),
        Column("open", "count", total=True),
        Column("value", "money", total=True),
        Column("owed_now", "money", total=True),
    ]
    lines = [(flow.flow.name, line) for flow in flows for line in by_kind(flow.breaks)]
    rows = [
        (
            name,
            book.texts.word("kind", line.kind),
            *line.counts,
            line.case_count,
            line.open_count,
            line.minor,
            line.owed_minor,
        )
        for name, line in lines
    ]
    book.sheet("breaks", columns, rows, [line.asset for _, line in lines])


def _cases(book: _Book, flows: list[FlowDay]) -> None:
    columns = [
        Column("case"),
        Column("flow"),
        Column("kind"),
        Column("status"),
        Column("account"),
        Column("reference"),
        Column("confirmed", "money", total=True),
        Column("owed_now", "money", total=True),
        Column("recredited", "money", total=True),
        Column("confirmed_at", "instant"),
        Column("detected_at", "instant"),
        Column("credited_at", "instant"),
        Column("waited", "seconds"),
        Column("incident"),
    ]
    found = [row for flow in flows for row in flow.cases]
    rows = [
        (
            row.number,
            row.flow,
            book.texts.word("kind", row.first_kind),
            book.texts.word("status", row.status),
            masked(row.account),
            row.reference,
            row.confirmed_minor,
            row.owed_minor,
            row.recredited_minor,
            row.confirmed_at,
            row.detected_at,
            row.credited_at,
            _waited(row),
            row.incident,
        )
        for row in found
    ]
    book.sheet("cases", columns, rows, [row.asset for row in found])


def _incidents(book: _Book, flows: list[FlowDay]) -> None:
    columns = [
        Column("incident"),
        Column("flow"),
        Column("status"),
        Column("kind"),
        Column("cause"),
        Column("started_at", "instant"),
        Column("ended_at", "instant"),
        Column("detected_at", "instant"),
        Column("customers", "count"),
        Column("cases", "count", total=True),
        Column("value", "money", total=True),
        Column("recredited", "money", total=True),
        Column("maker"),
        Column("approver"),
    ]
    found = [one.row for flow in flows for one in flow.incidents]
    rows = [
        (
            row.number,
            row.flow,
            book.texts.word("status", row.status),
            _incident_kind(row, book.texts),
            row.cause,
            row.started_at,
            row.ended_at,
            row.detected_at,
            row.customers,
            row.case_count,
            row.wronged_minor,
            row.recredited_minor,
            row.maker,
            row.approver,
        )
        for row in found
    ]
    book.sheet("incidents", columns, rows, [row.asset for row in found])


def _incident_kind(row: Any, texts: Texts) -> str:
    kind = texts.word("incident_kind", row.kind)
    return f"{kind}: {row.scope['feed']}" if row.kind == "feed" else kind


def _notices(book: _Book, flows: list[FlowDay]) -> None:
    columns = [
        Column("flow"),
        Column("event"),
        Column("channel"),
        Column("status"),
        Column("notices", "count", total=True),
        Column("parts", "count", total=True),
    ]
    rows = [
        (
            flow.flow.name,
            book.texts.word("event", row.event),
            book.texts.word("channel", row.channel),
            book.texts.word("status", row.status),
            row.notice_count,
            row.parts,
        )
        for flow in flows
        for row in flow.notices
    ]
    book.sheet("notices", columns, rows, [None] * len(rows))


def _feeds(book: _Book, flows: list[FlowDay]) -> None:
    counts = (
        "deliveries",
        "refused",
        "raw_rows",
        "published_rows",
        "quarantined_rows",
        "duplicate_rows",
        "out_of_scope_rows",
    )
    columns = [
        Column("feed"),
        Column("side"),
        Column("grade"),
        Column("complete_through", "instant"),
        *(Column(name, "count", total=True) for name in counts),
    ]
    rows = [
        (
            row.feed,
            book.texts.word("side", row.side),
            book.texts.word("grade", row.grade),
            row.watermark,
            *(getattr(row, name) for name in counts),
        )
        for flow in flows
        for row in flow.feeds
    ]
    book.sheet("feeds", columns, rows, [None] * len(rows))


def _waited(row: Any) -> int | None:
    if row.credited_at is None or row.confirmed_at is None:
        return None
    waited: timedelta = row.credited_at - row.confirmed_at
    return round(waited.total_seconds())
