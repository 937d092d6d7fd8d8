"""`reconcile match CONFIRMATIONS LEDGER --out DIR`, as its function."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from typer.testing import CliRunner

from reconcile.cli import app
from reconcile.domain import ids
from reconcile.matching.engine import Engine
from reconcile.matching.files import MatchReport, match_files
from reconcile.matching.foreign import BadInputError
from reconcile.matching.table import statement_table

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "id,reference,account,amount,currency,occurred_at"
TOLD = """\
t1,RC1,+2250701,1050,XOF,2024-07-09T13:47:00Z
t2,RC2,+2250702,500,XOF,2024-07-09T13:48:00Z
t3,,+2250703,700,XOF,2024-07-09T13:49:00Z
t4,RC4,+2250704,12.50,CAD,2024-07-09T09:50:00-04:00
t5,RC5,+2250705,900,XOF,2024-07-09T13:51:00Z
"""
POSTED = """\
e1,RC1,+2250701,1050,XOF,2024-07-09T13:47:30Z
e2,rc2 ,+2250702,400,XOF,2024-07-09T13:49:00Z
e3,RC3,+2250703,700,XOF,2024-07-09T13:55:00Z
e4,RC4,+2250704,12.5,cad,2024-07-09T13:50:30Z
e6,RC6,+2250706,300,XOF,2024-07-09T13:52:00Z
"""


def write(folder: Path, name: str, rows: str) -> Path:
    file = folder / name
    file.write_text(f"{HEADER}\n{rows}", encoding="utf-8")
    return file


def match(folder: Path, told: str = TOLD, posted: str = POSTED, **options: Any) -> MatchReport:
    confirmations, ledger = write(folder, "told.csv", told), write(folder, "posted.csv", posted)
    return match_files(confirmations, ledger, out=folder / "out", engine=Engine(threads=1), **options)


def test_two_csv_files_give_matches_breaks_and_a_statement(tmp_path: Path) -> None:
    report = match(tmp_path)
    assert report.exit_code == 3
    assert (report.confirmations, report.entries) == (5, 5)
    pairs = pq.read_table(report.matches_file).to_pylist()
    assert {(row["confirmation_id"], row["entry_id"], row["pass"], row["delta_minor"]) for row in pairs} == {
        ("t1", "e1", "reference", 0),
        ("t2", "e2", "reference", -100),
        ("t3", "e3", "identity", 0),
        ("t4", "e4", "reference", 0),
    }
    breaks = {row["kind"]: row for row in pq.read_table(report.breaks_file).to_pylist()}
    assert {kind: (row["account"], row["owed_minor"]) for kind, row in breaks.items()} == {
        "never_credited": ("+2250705", 900),
        "under_credited": ("+2250702", 100),
        "orphan_credit": ("+2250706", -300),
    }
    assert breaks["never_credited"]["break_id"] == str(ids.derive("confirmation", "files", "t5"))
    assert breaks["under_credited"]["confirmation_ids"] == ["t2"]
    assert breaks["under_credited"]["entry_ids"] == ["e2"]
    assert breaks["under_credited"]["reason"] == "confirmed 500 XOF, credited 400"
    statement = json.loads(report.statement_file.read_text())
    assert statement["verdict"] == "breaks"
    assert [(day["asset"], day["verdict"]) for day in statement["days"]] == [("CAD", "reconciled"), ("XOF", "breaks")]
    assert all(day["unexplained_minor"] == 0 for day in statement["days"])


def test_amounts_of_parquet_are_minor_units_or_decimals(tmp_path: Path) -> None:
    at = datetime(2024, 7, 9, 13, 47, tzinfo=UTC)
    shared = {"id": ["a"], "reference": ["R"], "account": ["A"], "currency": ["CAD"]}
    told = pa.table({**shared, "amount": pa.array([Decimal("12.5000")], pa.decimal128(18, 4)), "occurred_at": [at]})
    posted = pa.table(
        {**shared, "amount_minor": pa.array([1250], pa.int32()), "occurred_at": [at.replace(tzinfo=None)]}
    )
    pq.write_table(told, tmp_path / "told.parquet")
    pq.write_table(posted, tmp_path / "posted.parquet")
    report = match_files(tmp_path / "told.parquet", tmp_path / "posted.parquet", out=tmp_path / "out")
    assert report.exit_code == 0
    assert report.days[0].lines["confirmation"]["credited"].minor == 1250


def test_semicolons_gzip_a_byte_order_mark_and_capital_headers_are_read(tmp_path: Path) -> None:
    text = "\ufeff" + f"{HEADER}\n{TOLD}".replace(",", ";").upper()
    (tmp_path / "told.csv.gz").write_bytes(gzip.compress(text.encode()))
    ledger = write(tmp_path, "posted.csv", POSTED)
    report = match_files(tmp_path / "told.csv.gz", ledger, out=tmp_path / "out")
    assert (report.confirmations, report.exit_code) == (5, 3)


def test_everything_credited_is_exit_code_0_and_a_late_credit_is_told_and_owes_nothing(tmp_path: Path) -> None:
    late = "e1,RC1,A,1050,XOF,2024-07-09T15:00:00Z\n"
    report = match(tmp_path, told="t1,RC1,A,1050,XOF,2024-07-09T13:47:00Z\n", posted=late)
    assert report.exit_code == 0
    [row] = pq.read_table(report.breaks_file).to_pylist()
    assert (row["kind"], row["owed_minor"]) == ("late_credit", 0)


def test_as_of_an_earlier_time_later_rows_do_not_exist_and_deadlines_may_be_ahead(tmp_path: Path) -> None:
    early = match(tmp_path, as_of=datetime(2024, 7, 9, 13, 52, tzinfo=UTC))
    assert early.exit_code == 0
    assert early.verdict == "reconciled with pending"
    assert pq.read_table(early.breaks_file).num_rows == 0
    later = match(tmp_path, as_of=datetime(2024, 7, 9, 14, 5, tzinfo=UTC))
    assert {found.kind for found in later.breaks} == {"under_credited"}


def test_two_empty_files_prove_nothing(tmp_path: Path) -> None:
    report = match(tmp_path, told="", posted="")
    assert (report.verdict, report.exit_code) == ("incomplete", 4)


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    reports = [match(tmp_path / name) for name in ("one", "two") if not (tmp_path / name).mkdir()]
    for first, second in zip(*[(r.matches_file, r.breaks_file, r.statement_file) for r in reports], strict=True):
        assert first.read_bytes() == second.read_bytes()


BAD = {
    "no amount": ("t1,R,A,,XOF,2024-07-09\n", "row 1, column amount: empty is not an exact, positive amount"),
    "decimals that the asset has not": ("t1,R,A,10.5,XOF,2024-07-09\n", "row 1, column amount: '10.5' is not an exact"),
    "thousands separators": ('t1,R,A,"1,050",XOF,2024-07-09\n', "row 1, column amount: '1,050' is not"),
    "scientific notation": ("t1,R,A,1e3,XOF,2024-07-09\n", "row 1, column amount: '1e3' is not"),
    "more than any amount": ("t1,R,A,9999999999999999,XOF,2024-07-09\n", "row 1, column amount"),
    "a negative confirmation": (
        "t0,R,A,5,XOF,2024-07-09\nt1,R,A,-5,XOF,2024-07-09\n",
        "row 2, column amount: '-5' is not",
    ),
    "an unknown asset": ("t1,R,A,5,FCFA,2024-07-09\n", "row 1, column currency: 'FCFA': unknown asset"),
    "no account": ("t1,R,,5,XOF,2024-07-09\n", "row 1, column account: empty is needed"),
    "no id": (",R,A,5,XOF,2024-07-09\n", "row 1, column id: empty is needed"),
    "an unreadable time": ("t1,R,A,5,XOF,09/07/2024\n", "row 1, column occurred_at: '09/07/2024' is no time"),
    "a short row": ("t1,R,A,5\n", "line 2: Expected Number of Columns: 6 Found: 4"),
    "a long row": ("t1,R,A,5,XOF,2024-07-09,7\n", "line 2: Expected Number of Columns: 6 Found: 7"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_file_row_and_column(tmp_path: Path, name: str) -> None:
    rows, said = BAD[name]
    with pytest.raises(BadInputError) as caught:
        match(tmp_path, told=rows)
    assert str(tmp_path / "told.csv") in str(caught.value)
    assert said in str(caught.value)


TWICE = "e1,RC1,+2250701,600,XOF,2024-07-09T13:47:30Z\n"


def test_two_rows_of_the_ledger_under_one_id_are_refused_and_one_that_comes_twice_counts_once(tmp_path: Path) -> None:
    told = "t1,RC1,+2250701,1050,XOF,2024-07-09T13:47:00Z\n"
    with pytest.raises(BadInputError, match=r"posted\.csv: row 1, column id: 'e1' names another row"):
        match(tmp_path, told=told, posted=TWICE + TWICE.replace("600", "450"))
    report = match(tmp_path, told=told, posted=TWICE + TWICE + TWICE.replace("e1", "e2").replace("600", "450"))
    assert report.exit_code == 0
    day = json.loads(report.statement_file.read_text())["days"][0]
    assert day["verdict"] == "reconciled"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the first line must name the columns"),
        (b"id,reference,account,amount,currency\n", "the first line must name the columns"),
        (f"{HEADER},Id\n".encode(), "the header names id more than once"),
        (f"{HEADER}\nt1,R\xe9,A,5,XOF,2024-07-09\n".encode("latin-1"), "line 2"),
        (gzip.compress(f"{HEADER}\n{TOLD}".encode() * 500)[:700], "told.csv"),
        (b"\x00\x01\x02\xff" * 100, "the first line must name the columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "told.csv").write_bytes(content)
    with pytest.raises(BadInputError) as caught:
        match_files(tmp_path / "told.csv", write(tmp_path, "posted.csv", POSTED), out=tmp_path / "out")
    assert said in str(caught.value)


def test_floating_point_money_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    table = pa.table(
        {name: ["x"] for name in ("id", "reference", "account", "currency")}
        | {
            "amount": [12.5],
            "occurred_at": [datetime(2024, 7, 9, tzinfo=UTC)],
        }
    )
    pq.write_table(table, tmp_path / "told.parquet")
    ledger = write(tmp_path, "posted.csv", POSTED)
    with pytest.raises(BadInputError, match="never floating point"):
        match_files(tmp_path / "told.parquet", ledger, out=tmp_path / "out")
    with pytest.raises(BadInputError, match="there is no such file"):
        match_files(tmp_path / "nowhere.csv", ledger, out=tmp_path / "out")


def test_the_page_stands_alone_and_escapes_what_files_say(tmp_path: Path) -> None:
    start = datetime(2024, 7, 9, tzinfo=UTC)
    told = "".join(f"t{n},RC{n},<i>{n}</i>,1050,XOF,{(start + timedelta(minutes=n)).isoformat()}\n" for n in range(600))
    posted = "".join(
        f"e{n},RC{n},<i>{n}</i>,1050,XOF,{(start + timedelta(minutes=n)).isoformat()}\n" for n in range(600) if n % 100
    )
    report = match(tmp_path, told=told, posted=posted, report=tmp_path / "page.html")
    assert report.page is not None
    page = report.page.read_text(encoding="utf-8")
    assert "6 customers were wronged" in page
    assert "6\N{NO-BREAK SPACE}300 XOF" in page
    assert "15 min" in page
    assert "<script" not in page
    assert "http" not in page
    assert "<i>1" not in page


def test_the_statement_is_printed_as_a_table(tmp_path: Path) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(statement_table(match(tmp_path)))
    printed = console.export_text()
    assert "unexplained" in printed
    assert "never_credited" in printed
    assert printed.rstrip().endswith("breaks")


def test_progress_is_told_step_by_step(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    match(tmp_path, progress=lambda *step: steps.append(step))
    assert [done for _, done, _ in steps] == [0, 1, 2, 3, 4]


def test_files_on_s3_are_read_and_results_written_there(tmp_path: Path, s3: str) -> None:
    here, there = tmp_path / "here", fsspec.filesystem("s3")
    for name, rows in (("told.csv", TOLD), ("posted.csv", POSTED)):
        there.put_file(str(write(tmp_path, name, rows)), f"{s3}/{name}")
    ended = [
        CliRunner().invoke(app, ["match", f"{source}/told.csv", f"{source}/posted.csv", "--out", str(out), "--json"])
        for source, out in ((tmp_path, here), (s3, f"{s3}/results"))
    ]
    assert [one.exit_code for one in ended] == [3, 3]
    assert ended[0].output == ended[1].output
    for name in ("breaks.parquet", "matches.parquet", "statement.json"):
        assert there.cat_file(f"{s3}/results/{name}") == (here / name).read_bytes()


def test_a_missing_file_on_s3_is_refused_by_its_name(tmp_path: Path, s3: str) -> None:
    with pytest.raises(BadInputError, match=f"{s3}/nowhere.csv: there is no such file"):
        match_files(f"{s3}/nowhere.csv", tmp_path / "posted.csv", out=tmp_path / "out")


def test_bad_input_is_refused_before_any_cluster_is_asked(tmp_path: Path) -> None:
    told = write(tmp_path, "told.csv", "t1,R1,A,12.345,XOF,2024-07-09\n")
    with pytest.raises(BadInputError, match=r"told.csv: row 1, column amount: '12.345'"):
        match_files(told, write(tmp_path, "posted.csv", POSTED), out=tmp_path / "out", engine=Engine(cluster=object()))
