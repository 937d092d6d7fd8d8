"""One self-contained page: what an engineer shows on the first day. No script, nothing loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from reconcile.domain.money import asset, to_decimal
from reconcile.matching.picture import Picture
from reconcile.matching.statement import PARTS, StatementDay, StatementVerdict

KIND_WORDS: Final = {
    "never_credited": "confirmed, never credited",
    "under_credited": "credited with less than was confirmed",
    "over_credited": "credited with more than was confirmed",
    "misdirected": "credited to another account",
    "wrong_asset": "credited in another asset",
    "reversed_after_credit": "credited, then taken back",
    "orphan_credit": "credited without a confirmation",
    "late_credit": "credited late",
    "ambiguous": "more than one reading: a person decides",
}
_SIDES: Final = {
    "confirmation": "What customers were told",
    "ledger": "What the ledger did",
    "own": "Our own credits",
    "payment": "What was paid",
}
_CHART_WIDTH: Final = 900
_CHART_HEIGHT: Final = 180
_LABEL_HEIGHT: Final = 20


def render(picture: Picture, days: Sequence[StatementDay], verdict: StatementVerdict) -> str:
    """The page as HTML text."""
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    wronged = picture.wronged_customers
    headline = f"{_count(wronged)} {'customer was' if wronged == 1 else 'customers were'} wronged"
    return template.substitute(
        title=escape(headline),
        headline=escape(headline if wronged else "No customer was wronged"),
        files=escape(_files(picture)),
        verdict=escape(verdict),
        verdict_class="pending" if verdict == "reconciled with pending" else verdict,
        figures="".join(f"<li><b>{escape(value)}</b>{escape(words)}</li>" for value, words in _figures(picture)),
        kinds=_kinds(picture),
        bar_unit="hour" if picture.bar_length == timedelta(hours=1) else "day",
        confirmed_chart=_chart(picture, [bar.confirmed for bar in picture.bars], "var(--bar)"),
        wronged_chart=_chart(picture, [bar.wronged for bar in picture.bars], "var(--bad)"),
        products=_products(picture),
        statement="".join(_statement(day) for day in days),
    )


def _files(picture: Picture) -> str:
    names = f"{picture.confirmations_file} against {picture.ledger_file}"
    if picture.first_at is None or picture.last_at is None:
        return f"{names}: both are empty"
    return f"{names}, {picture.first_at:%Y-%m-%d %H:%M} to {picture.last_at:%Y-%m-%d %H:%M}"


def _figures(picture: Picture) -> Iterable[tuple[str, str]]:
    share = f"{100 * picture.wronged_purchases / picture.confirmed:.2f} %" if picture.confirmed else "none"
    yield _count(picture.wronged_purchases), f"purchases wronged, {share} of {_count(picture.confirmed)} confirmed"
    for code, owed, over in picture.owed:
        if owed:
            yield money(owed, code), "owed to customers"
        if over:
            yield money(over, code), "credited beyond what was confirmed"
    if picture.longest_wait is not None:
        yield _duration(picture.longest_wait), "the longest wait, up to the end of the files"
    if picture.known_after_median is not None and picture.known_after_worst is not None:
        yield (
            _duration(picture.known_after_median),
            f"after its confirmation a missing credit would have been known (at worst {_duration(picture.known_after_worst)})",
        )


def _kinds(picture: Picture) -> str:
    rows = [
        (KIND_WORDS.get(row.kind, row.kind), _count(row.breaks), money(row.owed_minor, row.asset))
        for row in picture.kinds
    ]
    return _table(("", "breaks", "owed"), rows) if rows else "<p>Nothing.</p>"


def _products(picture: Picture) -> str:
    if all(row.product is None for row in picture.products):
        return ""
    rows = [
        (
            row.product or "not named",
            _count(row.confirmed),
            _count(row.wronged),
            f"{100 * row.wronged / row.confirmed:.2f} %" if row.confirmed else "",
        )
        for row in picture.products
    ]
    return (
        f'<h2>Which products</h2><div class="sheet">{_table(("product", "confirmed", "wronged", "share"), rows)}</div>'
    )


def _statement(day: StatementDay) -> str:
    rows: list[tuple[str, str, str]] = [
        ("Open before this day", _count(day.opening.rows), money(day.opening.minor, day.asset))
    ]
    for side, (total, parts) in PARTS.items():
        lines = day.lines[side]
        if side in {"own", "payment"} and not lines[total].rows:
            continue
        rows.append((f"{_SIDES[side]}: {total}", _count(lines[total].rows), money(lines[total].minor, day.asset)))
        rows += [
            (f"\N{EM SPACE}{part.replace('_', ' ')}", _count(lines[part].rows), money(lines[part].minor, day.asset))
            for part in parts
            if lines[part].rows or lines[part].minor
        ]
    rows.append(("Open after this day", _count(day.closing.rows), money(day.closing.minor, day.asset)))
    title = f"{day.day:%Y-%m-%d} · {day.asset} · {day.verdict}"
    return f'<h3>{escape(title)}</h3><div class="sheet">{_table(("", "rows", "amount"), rows)}</div>'


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def cells(tag: str, values: Sequence[str]) -> str:
        first, *others = values
        numbers = "".join(f'<{tag} class="n">{escape(value)}</{tag}>' for value in others)
        return f'<tr><th scope="row">{escape(first)}</th>{numbers}</tr>'

    head = f"<thead>{cells('th', header)}</thead>"
    return f"<table>{head}<tbody>{''.join(cells('td', row) for row in rows)}</tbody></table>"


def _chart(picture: Picture, values: Sequence[int], colour: str) -> str:
    """Bars with their greatest value named; each bar says its own when pointed at."""
    if not any(values):
        return "<p>None.</p>"
    highest, step = max(values), _CHART_WIDTH / len(values)
    bars, labels = [], []
    every = max(1, round(len(values) / 12))
    for place, (bar, value) in enumerate(zip(picture.bars, values, strict=True)):
        height = value / highest * (_CHART_HEIGHT - 2 * _LABEL_HEIGHT)
        left, top = place * step, _CHART_HEIGHT - _LABEL_HEIGHT - height
        bars.append(
            f'<rect x="{left + step * 0.1:.1f}" y="{top:.1f}" width="{step * 0.8:.1f}" height="{height:.1f}" fill="{colour}">'
            f"<title>{_bar_label(bar.start, picture.bar_length)}: {_count(value)}</title></rect>"
        )
        if place % every == 0:
            labels.append(
                f'<text x="{left + step / 2:.1f}" y="{_CHART_HEIGHT - 5}" text-anchor="middle">'
                f"{_bar_label(bar.start, picture.bar_length)}</text>"
            )
        if value == highest:
            labels.append(
                f'<text x="{left + step / 2:.1f}" y="{top - 4:.1f}" text-anchor="middle">{_count(value)}</text>'
            )
    return (
        f'<svg viewBox="0 0 {_CHART_WIDTH} {_CHART_HEIGHT}" role="img" aria-label="bars, at most {_count(highest)}">'
        f"{''.join(bars)}{''.join(labels)}</svg>"
    )


def _bar_label(start: datetime, length: timedelta) -> str:
    return f"{start:%H:%M}" if length == timedelta(hours=1) else f"{start:%m-%d}"


def money(minor: int, code: str) -> str:
    """`1 050 XOF`, `12.50 CAD`: minor units in the asset's own decimals, thousands apart."""
    return f"{to_decimal(minor, asset(code)):,f} {code}".replace(",", "\N{NO-BREAK SPACE}")


def _count(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")


def _duration(length: timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
