"""Every kind of bad delivery, as a real file: what is said about it, and that nothing else is held up by it."""

import gzip
import io
import json
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from reconcile import config
from reconcile.feeds.limits import Limits

from .conftest import CONFIGURATION, LEDGER_HEADER, NOON, entry, message

LIMITS = Limits(file_bytes=200_000, unpacked_bytes=300_000, expansion_from_bytes=50_000, row_bytes=2_000, rows=1_000)


def ledger(*lines, header=LEDGER_HEADER):
    return "\n".join([header, *lines, ""]).encode()


GOOD = ledger(*(entry(f"A{number}") for number in range(20)))

REFUSED_LEDGERS = {
    "gzip cut off": ("x.csv.gz", gzip.compress(GOOD)[:-12], "cannot be unpacked as gzip: Truncated compressed stream"),
    "gzip whose content changed": (
        "x.csv.gz",
        bytes(byte ^ (place == 40) for place, byte in enumerate(gzip.compress(GOOD))),
        "cannot be unpacked as gzip",
    ),
    "gzip with something behind it": ("x.csv.gz", gzip.compress(GOOD) + b"more", "cannot be unpacked as gzip"),
    "empty gzip": ("x.csv.gz", b"", "is empty, which no gzip file is"),
    "text that says it is gzip": ("x.csv.gz", GOOD, "cannot be unpacked as gzip"),
    "gzip that says it is text": ("x.csv", gzip.compress(GOOD, mtime=0), "row 1: holds a NUL byte at position 4"),
    "zstandard cut off": ("x.csv.zst", zstandard.compress(GOOD)[:-3], "cannot be unpacked as zstd"),
    "gzip bomb": ("x.csv.gz", gzip.compress(ledger() + b"x;y\n" * 90_000), "unpacks to more than 200 times its size"),
    "unpacks to too much": (
        "x.csv.gz",
        gzip.compress(ledger(*(entry(f"A{n}", reference=str(7 ** (500 + n))) for n in range(500)))),
        "unpacks to more than 300000 bytes",
    ),
    "larger than allowed": ("x.csv", ledger(*(entry(f"A{n}") for n in range(3_000))), "is larger than 200000 bytes"),
    "a line without end": ("x.csv", ledger() + b"9" * 150_000, "row 2: a line is longer than 2000 bytes"),
    "a quote that is never closed": (
        "x.csv",
        ledger(entry("A1"), '"' + entry("A2"), *(entry(f"A{n}") for n in range(3, 9))),
        "row 3: a quote is opened and never closed",
    ),
    "a quote that swallows many rows": (
        "x.csv",
        ledger(entry("A1"), '"' + entry("A2"), *(entry(f"A{n}") for n in range(3, 90))),
        "row 3: a quote is opened and not closed for many lines",
    ),
    "more rows than allowed": ("x.csv", ledger(*(f"A{n}" for n in range(1_100))), "more than the 1000 rows"),
    "NUL bytes": ("x.csv", GOOD.replace(b"A3;", b"A\0;"), "row 5: holds a NUL byte at position 2"),
    "another encoding": (
        "x.csv",
        GOOD.replace(b"RECHARGE", "RÉCHARGE".encode("latin-1"), 1),
        "row 2: is not utf-8 text",
    ),
    "two encodings": (
        "x.csv",
        ledger(entry("A1", reference="é")) + entry("A2", reference="é").encode("latin-1"),
        "row 3: is not utf-8 text",
    ),
    "UTF-16": ("x.csv", GOOD.decode().encode("utf-16"), "row 1: holds a NUL byte"),
    "no header": ("x.csv", b"", "row 1: has no header"),
    "a missing column": (
        "x.csv",
        ledger(header=LEDGER_HEADER.replace("amount", "montant")),
        "row 1, column 'amount': is not in the header, which has 'entry_id', 'type', 'msisdn', 'montant'",
    ),
    "a column that stands twice": (
        "x.csv",
        ledger(header=LEDGER_HEADER + ";amount"),
        "row 1, column 'amount': stands twice in the header",
    ),
    "another delimiter": (
        "x.csv",
        GOOD.replace(b";", b","),
        "row 1, column 'entry_id': is not in the header, which has 'entry_id,type",
    ),
    "a page instead of a file": (
        "x.csv",
        b"<html><body>503</body></html>\n" * 3,
        "column 'entry_id': is not in the header",
    ),
    "mostly bad rows": (
        "x.csv",
        ledger(*(entry(f"A{n}", amount="n/a" if n % 2 else "5") for n in range(20))),
        "50.0% of the rows in scope are bad, more than the 5.0% that are allowed. (row 3: amount_is_readable, row 5",
    ),
    "dates in another order": (
        "x.csv",
        ledger(*(entry(f"A{n}", at="09/07/2024 11:45:10") for n in range(20))),
        "few_rows_are_bad",
    ),
    "times of another zone": (
        "x.csv",
        ledger(*(entry(f"A{n}", at="2024-07-09 13:45:10") for n in range(20))),
        "few_rows_are_bad: 100.0%",
    ),
}


@pytest.mark.parametrize(("name", "content", "said"), REFUSED_LEDGERS.values(), ids=REFUSED_LEDGERS)
def test_a_bad_ledger_file_is_refused_and_the_next_one_is_not_held_up(operator, name, content, said):
    operator.deliver("ocs", f"1{name}", content, rows=20)
    operator.ledger("2good.csv", [entry("B1")], through=NOON)
    operator.take("ocs", limits=LIMITS)
    bad = operator.batch(f"1{name}")
    assert bad["status"] == "refused"
    assert bad["reason"].startswith(f"1{name}: ")
    assert said in bad["reason"]
    assert operator.batch("2good.csv")["status"] == "published"
    assert len(operator.published("ocs")) == 1
    assert operator.watermark("ocs") is None, "the period of a refused file is not proven"


def said_otherwise(**differently):
    said = {"file": "1.csv", "rows": 2, "sum": "2100", "complete_through": NOON.isoformat(), **differently}
    return json.dumps({key: value for key, value in said.items() if value is not None}).encode()


BAD_CONTROLS = {
    "another number of rows": (said_otherwise(rows=3), "the file has 2 rows, its control file says 3"),
    "another sum": (said_otherwise(sum="2101"), "sum to 2100, the control file says 2101"),
    "another file": (said_otherwise(file="2.csv"), "the control file speaks of '2.csv'"),
    "no JSON": (b"rows=2", "the control file cannot be used: its content"),
    "no time": (said_otherwise(complete_through=None), "the control file cannot be used: complete_through"),
    "a time without a zone": (
        said_otherwise(complete_through="2024-07-09T12:00:00"),
        "the control file cannot be used: complete_through",
    ),
    "a negative number of rows": (said_otherwise(rows=-1), "the control file cannot be used: rows"),
    "a sum that is none": (said_otherwise(sum="1e3"), "the control file cannot be used: sum"),
    "a time far ahead": (
        said_otherwise(complete_through=(NOON + timedelta(days=400)).isoformat()),
        "says that the feed is complete up to 2025-08-13",
    ),
    "endless": (b" " * 100_000 + said_otherwise(), "the control file cannot be used"),
}


@pytest.mark.parametrize(("control", "said"), BAD_CONTROLS.values(), ids=BAD_CONTROLS)
def test_a_delivery_whose_control_file_does_not_fit_is_refused(operator, control, said):
    operator.ledger("1.csv", [entry("A1"), entry("A2")], control=control)
    operator.ledger("2.csv", [entry("B1")])
    operator.take("ocs")
    assert operator.batch("1.csv")["status"] == "refused"
    assert said.lower() in operator.batch("1.csv")["reason"].lower()
    assert operator.batch("2.csv")["status"] == "published"
    assert operator.watermark("ocs") is None


BAD_ROWS = {
    "an amount with a letter": (
        entry("A1", amount="1O5O"),
        "amount_is_readable: '1O5O' is not an amount",
        "amount_minor",
    ),
    "an amount with decimals that its asset lacks": (
        entry("A1", amount="10.50"),
        "more decimals than XOF",
        "amount_minor",
    ),
    "an amount in words of a spreadsheet": (entry("A1", amount="#VALUE!"), "amount_is_readable", "amount_minor"),
    "an amount in another script": (
        entry("A1", amount="\u0661\u0660\u0665\u0660"),
        "amount_is_readable",
        "amount_minor",
    ),
    "an amount beyond all amounts": (entry("A1", amount="9999999999999999"), "larger than any amount", "amount_minor"),
    "no amount": (entry("A1", amount=""), "amount_is_readable", "amount_minor"),
    "a purchase that takes": (entry("A1", amount="-1050"), "purchase_is_positive", "amount_minor"),
    "a reversal of nothing": (entry("A1", kind="REVERSAL", amount="0"), "reversal_is_negative", "amount_minor"),
    "no key": (entry(""), "row_has_key", "row_key"),
    "no kind": (entry("A1", kind=""), "kind_is_known: says neither", "kind"),
    "no account": (entry("A1", account=""), "account_is_readable", "account"),
    "an account that is no number": (
        entry("A1", account="inconnu"),
        "account_is_readable: not a phone number",
        "account",
    ),
    "an account that is too short": (entry("A1", account="0707"), "account_is_readable: not a possible", "account"),
    "no time": (entry("A1", at=""), "time_is_readable", "posted_at"),
    "a time that is no date": (entry("A1", at="2024-02-30 10:00:00"), "time_is_readable", "posted_at"),
    "a time to come": (entry("A1", at="2024-07-09 12:06:00"), "time_is_possible", "posted_at"),
    "a time long ago": (entry("A1", at="1970-01-01 00:00:00"), "time_is_possible", "posted_at"),
    "an unknown asset": (entry("A1").replace("XOF", "ZZZ"), "asset_is_readable: 'ZZZ' is not an asset", "asset"),
    "a field too many": (entry("A1") + ";x", "row_is_well_formed: has 9 fields where the header has 8", "row"),
    "a field too few": ("A1;RECHARGE;+2250707123456;1050", "row_is_well_formed: has 4 fields", "row"),
    "a quote in the wrong place": ('"A1"x;' + entry("A1")[3:], "row_is_well_formed: cannot be split", "row"),
    "a reference with control characters": (entry("A1", reference="RC\x07"), "reference_is_printable", "reference"),
}


@pytest.mark.parametrize(("row", "reason", "column"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_ledger_row_is_quarantined_with_its_reason_and_the_rest_is_published(operator, row, reason, column):
    operator.ledger("1.csv", [entry("G1"), row, entry("G2")])
    operator.take("ocs")
    (found,) = operator.query("select * from quarantine")
    assert reason in found["reason"]
    assert (found["column_name"], found["row_number"], found["raw"], found["status"]) == (column, 3, row, "held")
    assert len(operator.published("ocs")) == 2
    batch = operator.batch("1.csv")
    assert (batch["raw_rows"], batch["published_rows"], batch["quarantined_rows"]) == (3, 2, 1)


BAD_LINES = {
    "no JSON": ('{"id": "M1"', "row_is_well_formed"),
    "a list": ("[1, 2]", "row_is_well_formed"),
    "a key that stands twice": ('{"id": "M1", "id": "M2", "sender": "MaxIt"}', "row_is_well_formed"),
    "not a number": ('{"id": NaN, "sender": "MaxIt"}', "row_is_well_formed"),
    "nested beyond measure": ("[" * 60_000, "row_is_well_formed"),
    "a NUL in an escape": (json.dumps(message("M\0")), "row_is_well_formed"),
    "half a character": ('{"id": "\\ud800", "sender": "MaxIt"}', "row_is_well_formed"),
    "no id": (json.dumps({**message("M1"), "id": None}), "message_has_id"),
    "no recipient": (json.dumps({**message("M1"), "recipient": "+++"}), "payer_is_readable: not a phone number"),
    "no time": (json.dumps(message("M1", at="yesterday")), "time_is_readable"),
    "a text that no template reads": (json.dumps(message("M1", "Akwaba! 1050 F pour toi")), "message_is_read"),
}


@pytest.mark.parametrize(("line", "reason"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_message_is_quarantined_and_the_rest_is_published(operator, line, reason):
    good = json.dumps(message("G1"))
    operator.deliver("smsc", "1.jsonl", f"{good}\n{line}\n", rows=2)
    operator.take("smsc")
    assert operator.batch("1.jsonl")["status"] == "published"
    (found,) = operator.query("select * from quarantine")
    assert found["reason"].startswith(reason)
    assert found["row_number"] == 2
    assert len(operator.published("smsc")) == 1


def parquet(**columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


COLUMNS = {
    "entry_id": ["A1"],
    "type": ["RECHARGE"],
    "msisdn": ["+2250707123456"],
    "amount": pa.array([1050], pa.int64()),
    "currency": ["XOF"],
    "reference": ["RC1"],
    "external_id": pa.array([None], pa.string()),
    "posted_at": pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us")),
}
BAD_PARQUET = {
    "cut off": (parquet(**COLUMNS)[:-40], "cannot be read as Parquet"),
    "no Parquet": (b"PAR1 but not really", "cannot be read as Parquet"),
    "floating-point amounts": (
        parquet(**{**COLUMNS, "amount": pa.array([1050.0])}),
        "column 'amount': is of type double, which has no exact text",
    ),
    "a missing column": (
        parquet(**{name: values for name, values in COLUMNS.items() if name != "reference"}),
        "column 'reference': is not in the schema",
    ),
}


@pytest.fixture
def columnar(operator):
    """The same operator, whose ledger comes as Parquet."""
    feeds = [dict(feed) for feed in CONFIGURATION["feed"]]
    feeds[1].update(reader="parquet", location="inbox/ocs/*.parquet")
    operator.configure({**CONFIGURATION, "feed": feeds})
    return operator


@pytest.mark.parametrize(("content", "said"), BAD_PARQUET.values(), ids=BAD_PARQUET)
def test_a_bad_parquet_file_is_refused(columnar, content, said):
    columnar.deliver("ocs", "1.parquet", content, rows=1)
    columnar.deliver("ocs", "2.parquet", parquet(**COLUMNS), rows=1, total="1050")
    columnar.take("ocs")
    assert said in columnar.batch("1.parquet")["reason"]
    (row,) = columnar.published("ocs")
    assert (row["amount_minor"], row["posted_at"]) == (1050, NOON)


def test_configured_columns_are_those_that_are_looked_for(operator):
    feeds = [dict(feed) for feed in CONFIGURATION["feed"]]
    feeds[1]["columns"] = {"account": "numero"}
    operator.configure({**CONFIGURATION, "feed": feeds})
    operator.ledger("1.csv", [entry("A1")])
    operator.take("ocs")
    assert "column 'numero': is not in the header" in operator.batch("1.csv")["reason"]
    assert config.FEED_COLUMNS["ledger"]["account"] == "account"
