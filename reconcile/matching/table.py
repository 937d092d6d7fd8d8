"""The statement for a terminal."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from reconcile.matching.files import MatchReport
from reconcile.matching.page import KIND_WORDS, money
from reconcile.matching.statement import PARTS, StatementDay

_COLOURS = {"reconciled": "green", "reconciled with pending": "green", "breaks": "red", "incomplete": "yellow"}


def statement_table(report: MatchReport) -> Group:
    """One table per day and asset, the breaks by kind, and the verdict."""
    kinds = Table("break", "", "rows", "owed", title="Breaks", title_justify="left")
    for found in report.breaks:
        kinds.add_row(found.kind, KIND_WORDS[found.kind], f"{found.breaks:,}", money(found.owed_minor, found.asset))
    verdict = Text(report.verdict, style=f"bold {_COLOURS[report.verdict]}")
    return Group(*(_day(day) for day in report.days), *([kinds] if report.breaks else []), verdict)


def _day(day: StatementDay) -> Table:
    table = Table(title=f"{day.flow} · {day.day} · {day.asset} · {day.verdict}", title_justify="left")
    table.add_column("")
    table.add_column("rows", justify="right")
    table.add_column("amount", justify="right")

    def row(words: str, rows: int, minor: int) -> None:
        table.add_row(words, f"{rows:,}", money(minor, day.asset))

    row("open before", day.opening.rows, day.opening.minor)
    for side, (total, parts) in PARTS.items():
        lines = day.lines[side]
        if side in {"own", "payment"} and not lines[total].rows:
            continue
        table.add_section()
        row(total, lines[total].rows, lines[total].minor)
        for part in parts:
            if lines[part].rows or lines[part].minor:
                row(f"  {part.replace('_', ' ')}", lines[part].rows, lines[part].minor)
    table.add_section()
    row("unexplained", 0, 0)
    row("open after", day.closing.rows, day.closing.minor)
    return table
