"""Other people's codes and private messages are nowhere in the lake or in the database."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from .conftest import CONFIGURATION, message

SECRET = "Votre code est 483920"
ROWS = [
    message("M1"),
    message("M2", SECRET, sender="BanqueSud", recipient="+2250101010101"),
    message("M3", SECRET, sender=None),
    message("M4", sender="maxit"),
]
NAMES = list(ROWS[0])


def as_csv(rows):
    quoted = [";".join('"' + (row[name] or "").replace('"', '""') + '"' for name in NAMES) for row in rows]
    return "\n".join([";".join(NAMES), *quoted, ""]).encode()


def as_jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows):
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


FILES = {
    "1.jsonl": ("jsonl", as_jsonl(ROWS)),
    "1.jsonl.gz": ("jsonl", gzip.compress(as_jsonl(ROWS))),
    "1.jsonl.zst": ("jsonl", zstandard.compress(as_jsonl(ROWS))),
    "1.csv": ("csv", as_csv(ROWS)),
    "1.parquet": ("parquet", as_parquet(ROWS)),
}


def everything_kept(operator):
    """All bytes of the lake, unpacked, and all text of the tables that hold rows."""
    for path in (operator.folder / "lake").rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        match path.suffix:
            case ".gz":
                content = gzip.decompress(content)
            case ".zst":
                content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
            case ".parquet":
                content = json.dumps(pq.read_table(path).to_pylist(), default=str).encode()
        yield content.decode()
    for table in ("batches", "quarantine", "audit", "deliveries", "job_runs"):
        yield str(operator.query(f"select * from {table}"))


@pytest.fixture
def reading(operator):
    def configure(reader):
        feed = {**CONFIGURATION["feed"][0], "reader": reader, "location": "inbox/smsc/*", "delimiter": ";"}
        operator.configure({**CONFIGURATION, "feed": [feed]})
        return operator

    return configure


@pytest.mark.parametrize(("name", "reader", "content"), [(name, *rest) for name, rest in FILES.items()], ids=FILES)
def test_what_other_senders_wrote_is_dropped_before_it_lands(reading, name, reader, content):
    operator = reading(reader)
    operator.deliver("smsc", name, content, rows=4)
    operator.take("smsc")
    batch = operator.batch(name)
    assert (batch["status"], batch["raw_rows"], batch["out_of_scope_rows"]) == ("published", 4, 2)
    assert [row["message_id"] for row in operator.published("smsc")] == ["M1", "M4"]
    kept = "\n".join(everything_kept(operator))
    assert "RC240709.1145.A00011" in kept
    assert "483920" not in kept
    assert "0101010101" not in kept


def test_rows_keep_their_numbers_whatever_is_withheld_before_them(reading):
    operator = reading("csv")
    private = message("M0", "two\nlines\nof it", sender="BanqueSud")
    odd = message("M9", "Akwaba! 1050 F pour toi")
    operator.deliver("smsc", "1.csv", as_csv([private, odd, message("M1")]), rows=3)
    operator.take("smsc")
    (row,) = operator.query("select row_number, row_key from quarantine")
    assert tuple(row.values()) == (5, "M9")
    assert [row["row_number"] for row in operator.published("smsc")] == [6]


@pytest.mark.parametrize(("reader", "broken"), [("jsonl", f'{{"text": "{SECRET}"'), ("csv", f'"{SECRET}')])
def test_a_row_whose_sender_cannot_be_read_is_quarantined_without_its_text(reading, reader, broken):
    operator = reading(reader)
    whole = as_jsonl(ROWS) if reader == "jsonl" else as_csv(ROWS)
    operator.deliver("smsc", "1", whole + broken.encode(), rows=5)
    operator.take("smsc")
    (row,) = operator.query("select reason, row_number from quarantine")
    assert row["reason"].startswith("row_is_well_formed")
    assert "483920" not in "\n".join(everything_kept(operator))


def test_of_a_file_that_breaks_off_nothing_is_kept(reading):
    operator = reading("jsonl")
    operator.deliver("smsc", "1.jsonl.gz", gzip.compress(as_jsonl(ROWS))[:-9], rows=4)
    operator.take("smsc")
    batch = operator.batch("1.jsonl.gz")
    assert (batch["status"], batch["landed_path"]) == ("refused", "")
    assert "cannot be unpacked as gzip" in batch["reason"]
    assert not (operator.folder / "lake" / "landed").exists()


def test_a_feed_without_a_list_takes_every_sender(operator):
    feed = {key: value for key, value in CONFIGURATION["feed"][0].items() if key != "senders"}
    operator.configure({**CONFIGURATION, "feed": [feed]})
    operator.messages("1.jsonl", [message("M1", sender="OM-CI"), message("M2", sender=None)])
    operator.take("smsc")
    assert len(operator.published("smsc")) == 2
