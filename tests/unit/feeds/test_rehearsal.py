from datetime import UTC, datetime

import pytest

from reconcile.config import ConfigurationError
from reconcile.feeds.rehearsal import rehearse

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)
HEADER = "entry_id,type,account,amount,currency,reference,posted_at"
FEED = {"side": "ledger", "kinds": {"purchase": ["RECHARGE"]}}


@pytest.fixture
def attempt(configured, tmp_path):
    def attempt(*lines, control=None, **options):
        path = tmp_path / "a.csv"
        path.write_text("\n".join(lines))
        if control:
            (tmp_path / "a.csv.ctl").write_text(control)
        return rehearse(configured(**FEED), "a", path, now=NOON, **options)

    return attempt


ROWS = [
    "E1,RECHARGE,0707123456,1050,XOF,RC1,2024-07-09 11:45:10",
    "E2,BONUS,0707123456,500,XOF,,2024-07-09 11:45:10",
    "E3,RECHARGE,0707123456,?,XOF,RC3,2024-07-09 11:45:10",
    "E1,RECHARGE,0707123456,1050,XOF,RC1,2024-07-09 11:45:10",
]


def test_each_row_is_told_what_would_become_of_it(attempt):
    rehearsal = attempt(HEADER, *ROWS)
    assert rehearsal.refused is None
    assert [(row.row_number, row.disposition, row.reason) for row in rehearsal.rows] == [
        (2, "published", None),
        (3, "out_of_scope", None),
        (4, "quarantined", "amount_is_readable: '?' is not an amount"),
        (5, "duplicate", None),
    ]
    first = rehearsal.rows[0].found
    assert (first["account"], first["amount_minor"]) == ("+2250707123456", 1050)
    assert first["posted_at"].startswith("2024-07-09 11:45:10")
    assert {fate: share.rows for fate, share in rehearsal.shares.items()} == {
        "published": 1, "quarantined": 1, "duplicate": 1, "out_of_scope": 1
    }  # fmt: skip


def test_only_the_first_rows_are_shown_and_all_are_counted(attempt):
    rehearsal = attempt(HEADER, *ROWS, rows_shown=1)
    assert len(rehearsal.rows) == 1
    assert sum(share.rows for share in rehearsal.shares.values()) == 4


def test_a_control_file_beside_it_is_used(attempt):
    control = '{"file": "a.csv", "rows": 5, "complete_through": "2024-07-09T12:00:00Z"}'
    rehearsal = attempt(HEADER, *ROWS, control=control)
    assert rehearsal.control.rows == 5
    assert rehearsal.refused == (
        "a.csv: rows_are_those_announced: The file has 4 rows, its control file says 5. (row 4: amount_is_readable)"
    )


def test_a_file_that_would_be_refused_says_why(attempt):
    rehearsal = attempt("a,b", "1,2")
    assert "column 'entry_id': is not in the header, which has 'a', 'b'" in rehearsal.refused
    assert rehearsal.rows == ()


def test_a_feed_that_is_not_configured_cannot_be_tried(configured, tmp_path):
    with pytest.raises(ConfigurationError, match="there is no feed 'b'"):
        rehearse(configured(**FEED), "b", tmp_path / "a", now=NOON)


def test_a_spreadsheet_as_operators_save_it_is_read_as_it_was_meant(configured, tmp_path):
    """UTF-16 between tabs, without a header, with grouped digits, cents without a mark, and local times of two forms."""
    feed = {
        **FEED, "encoding": "utf-16", "delimiter": "\t", "thousands": " ", "implied_decimals": 2, "asset": "EUR",
        "zone": "Europe/Paris", "region": "FR", "time_format": ["%d/%m/%Y %H:%M:%S", "epoch"], "ambiguous_times": "later",
        "header": ["entry_id", "type", "account", "amount", "reference", "posted_at"], "columns": {"asset": ""},
    }  # fmt: skip
    lines = [
        "E1\tRECHARGE\t0612345678\t1 050\tR1\t09/07/2024 13:45:10",
        "E2\tRECHARGE\t0612345678\t1\u00a0234\u00a0500\tR2\t1720526400",
    ]
    (tmp_path / "a.csv").write_bytes("\r\n".join(lines).encode("utf-16"))
    rehearsal = rehearse(configured(**feed), "a", tmp_path / "a.csv", now=NOON)
    assert [(row.disposition, row.found["amount_minor"], row.found["posted_at"][:16]) for row in rehearsal.rows] == [
        ("published", 1050, "2024-07-09 11:45"), ("published", 1234500, "2024-07-09 12:00"),
    ]  # fmt: skip
