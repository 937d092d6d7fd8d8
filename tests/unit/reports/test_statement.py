"""The statement as people read it: every line in its place, and what does not add up in plain view."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

from reconcile.reports.statement import _statement


def line(rows, minor):
    return {"rows": rows, "minor": minor}


def read(confirmation, verdict="breaks"):
    return _statement(
        SimpleNamespace(
            flow="topup",
            asset="XOF",
            day=date(2024, 7, 9),
            verdict=verdict,
            as_of=datetime(2024, 7, 9, 15, tzinfo=UTC),
            confirmation_watermark=None,
            ledger_watermark=None,
            grade="proven",
            lines={
                "opening": line(1, 500),
                "closing": line(2, 1_500),
                "sides": {"confirmation": confirmation},
            },
        )
    )


def test_parts_come_in_the_order_of_reading_and_seldom_ones_only_where_something_stands_on_them():
    side = read({"confirmed": line(3, 3_000), "owed": line(1, 1_000), "credited": line(2, 2_000)}).sides[0]
    assert [part.name for part in side.parts] == ["credited", "recredited", "pending", "owed"]
    side = read({"confirmed": line(1, 10), "fees": line(1, 10)}).sides[0]
    assert "fees" in [part.name for part in side.parts]
    assert side.unexplained.is_empty


def test_what_the_parts_do_not_explain_is_shown_also_from_a_line_nobody_knows():
    side = read({"confirmed": line(3, 3_000), "credited": line(2, 2_000)}).sides[0]
    assert (side.unexplained.rows, side.unexplained.minor) == (1, 1_000)
    side = read({"confirmed": line(3, 3_000), "credited": line(2, 2_000), "gifted": line(1, 1_000)}).sides[0]
    assert side.unexplained.is_empty
    assert side.parts[-1].name == "gifted"


def test_the_balance_leads_from_the_opening_to_the_closing():
    balance = read({"confirmed": line(3, 3_000), "credited": line(2, 2_000)}).balance
    assert [part.name for part in balance] == ["opening", "confirmed", "credited", "closing"]
    assert sum(part.minor for part in balance[:-1]) == balance[-1].minor


def test_only_what_is_reconciled_is_green():
    assert read({}, "reconciled with pending").is_green
    assert not read({}, "incomplete").is_green
    assert not read({}, "breaks").is_green
