"""Files of other people's making, CSV or Parquet, read exactly or refused with file, row and column."""
# ruff: noqa: S608 - all text that enters SQL here goes through `literal`; all names are our own

import contextlib
import csv
import gzip
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal, cast

import duckdb
import zstandard

from reconcile.domain.money import MAX_AMOUNT_MINOR, UnknownAssetError, asset
from reconcile.matching.session import Session, literal
from reconcile.store.place import is_local, open_place, open_stream

Side = Literal["confirmation", "ledger"]

REQUIRED = ("id", "reference", "account", "currency", "occurred_at")
OPTIONAL = ("product", "payer")

MAX_HEADER_BYTES = 64_000

_PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_DELIMITERS = (",", ";", "\t", "|")
_DECIMAL = r"[+-]?[0-9]{1,18}([.][0-9]*)?"
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_TIMES = {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S", "DATE", "VARCHAR"}
_WANTED = {
    "id": "is needed",
    "account": "is needed",
    "currency": "is needed",
    "occurred_at": "is no time; write 2024-07-09T13:47:05Z",
}


class BadInputError(ValueError):
    """A file cannot be read as what it is said to be; the message names file, row and column."""


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """One opened file: how to scan it, and which of its columns is which. Rows are counted from 1, below any header."""

    path: str
    side: Side
    scan: str
    column: Mapping[str, str]
    kind: Mapping[str, str]
    is_parquet: bool
    exponents: Mapping[str, int] = field(default_factory=dict)
    is_tidy: bool = False
    """Whether every text of the file is already in the form that this package gives it: most are, and that saves time."""

    @property
    def exponent(self) -> str:
        """SQL for the number of decimals of a row's asset."""
        if len(set(self.exponents.values())) == 1:
            return str(next(iter(self.exponents.values())))
        cases = " ".join(f"WHEN {literal(code)} THEN {decimals}" for code, decimals in sorted(self.exponents.items()))
        return f"CASE {self.upper_text('currency')} {cases} END" if cases else "0"

    @property
    def has_minor(self) -> bool:
        """Whether amounts are integers in minor units already."""
        return "amount_minor" in self.column

    def text(self, name: str) -> str:
        """SQL for a column as trimmed text, NULL where it is empty or the file has no such column."""
        if name not in self.column:
            return "NULL::VARCHAR"
        column = f"{self.column[name]}::VARCHAR"
        return column if self.is_tidy else f"nullif(trim({column}), '')"

    def upper_text(self, name: str) -> str:
        """The same in upper case."""
        return self.text(name) if self.is_tidy else f"upper({self.text(name)})"


def open_file(session: Session, path: str, side: Side) -> ForeignFile:
    """Look at the form of a file (its path, or a URL) without reading it through; raises `BadInputError`."""
    filesystem, inner = open_place(path)
    if not is_local(filesystem):
        session.open_urls(filesystem)
    try:
        if not filesystem.isfile(inner):
            raise BadInputError(f"{path}: there is no such file")
        with open_stream(path) as opened:
            is_parquet = opened.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror or error}") from error
    try:
        scan, header = _parquet(session, path) if is_parquet else _csv(path)
        described = session.rows(f"DESCRIBE FROM {scan}")
    except duckdb.Error as error:
        raise BadInputError(f"{path}: {first_line(error)}") from error
    names = [name.strip().lower() for name in header]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInputError(f"{path}: the header names {', '.join(twice)} more than once")
    amount = "amount_minor" if is_parquet and "amount_minor" in names else "amount"
    missing = [name for name in (*REQUIRED, amount) if name not in names]
    if missing:
        raise BadInputError(f"{path}: column {', '.join(missing)} is missing; it has {', '.join(names) or 'none'}")
    places = {name: described[names.index(name)] for name in (*REQUIRED, *OPTIONAL, amount) if name in names}
    kinds = {name: str(kind) for name, (_, kind, *_) in places.items()}
    _check_kinds(path, kinds)
    quoted = {name: '"' + str(column).replace('"', '""') + '"' for name, (column, *_) in places.items()}
    return ForeignFile(path, side, scan, quoted, kinds, is_parquet=is_parquet)


def _parquet(session: Session, path: str) -> tuple[str, list[str]]:
    scan = f"read_parquet({literal(path)})"
    return scan, [str(name) for name, *_ in session.rows(f"DESCRIBE FROM {scan}")]


def _csv(path: str) -> tuple[str, list[str]]:
    """The delimiter is the one that finds the required columns in the first line. Nothing else is guessed."""
    line, compression = _first_text_line(path)
    header: list[str] = []
    for delimiter in _DELIMITERS:
        found = next(csv.reader([line], delimiter=delimiter), [])
        if {name.strip().lower() for name in found} >= set(REQUIRED):
            columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(found)))
            form = f"auto_detect = false, delim = '{delimiter}', quote = '\"', escape = '\"', header = true"
            limits = f"strict_mode = true, compression = '{compression}'"
            return f"read_csv({literal(path)}, {form}, {limits}, columns = {{{columns}}})", found
        header = header or found
    raise BadInputError(
        f"{path}: the first line must name the columns {', '.join((*REQUIRED, 'amount'))}; "
        f"it has {_printable(', '.join(header)) or 'nothing'}"
    )


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:200].strip()


def _first_text_line(path: str) -> tuple[str, str]:
    with contextlib.ExitStack() as stack:
        opened: IO[bytes] = stack.enter_context(open_stream(path))
        magic = opened.read(4)
        opened.seek(0)
        compression = "none"
        if magic[:2] == _GZIP_MAGIC:
            compression, opened = "gzip", cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=opened)))
        elif magic == _ZSTD_MAGIC:
            reader = stack.enter_context(zstandard.ZstdDecompressor().stream_reader(opened))
            compression, opened = "zstd", cast("IO[bytes]", stack.enter_context(io.BufferedReader(reader)))
        try:
            line = opened.readline(MAX_HEADER_BYTES)
        except (OSError, EOFError, zstandard.ZstdError) as error:
            raise BadInputError(f"{path}: {error}") from error
    # Whether all of it is UTF-8 is found out, with the line, when all of it is read.
    return line.decode("utf-8-sig", errors="replace").rstrip("\r\n"), compression


def _check_kinds(path: str, kinds: Mapping[str, str]) -> None:
    if kinds["occurred_at"] not in _TIMES:
        raise BadInputError(f"{path}: column occurred_at is {kinds['occurred_at']}; a timestamp is needed")
    if "amount_minor" in kinds:
        if kinds["amount_minor"] not in _INTEGERS:
            raise BadInputError(f"{path}: column amount_minor is {kinds['amount_minor']}; integers are needed")
    elif kinds["amount"] not in _INTEGERS and not kinds["amount"].startswith(("DECIMAL", "VARCHAR")):
        raise BadInputError(
            f"{path}: column amount is {kinds['amount']}; money is decimals or text, never floating point"
        )


def landed(session: Session, file: ForeignFile, folder: Path) -> ForeignFile:
    """The same rows in a form that can be read many times: text is parsed once; raises `BadInputError`."""
    if file.is_parquet:
        return file
    copy = folder / f"{file.side}.parquet"
    try:
        session.execute(f"COPY (FROM {file.scan}) TO {literal(str(copy))} (FORMAT parquet, COMPRESSION lz4)")
    except duckdb.Error as error:
        raise BadInputError(f"{file.path}: {first_line(error)}") from error
    return replace(file, scan=f"read_parquet({literal(str(copy))})")


def with_exponents(session: Session, file: ForeignFile) -> ForeignFile:
    """The file with the exponent of each asset in it; raises `BadInputError` for an unknown one."""
    known: dict[str, int] = {}
    for (code,) in _read(session, file, f"SELECT DISTINCT {file.upper_text('currency')} FROM {file.scan}"):
        if code is None:
            continue
        try:
            known[code] = asset(code).exponent
        except UnknownAssetError as error:
            where = _where(session, file, f"{file.upper_text('currency')} = {literal(code)}", "currency")
            raise BadInputError(f"{where}: {error}") from error
    return replace(file, exponents=known)


def checked(session: Session, file: ForeignFile) -> tuple[ForeignFile, int]:
    """The file, and its number of rows, each of which can be read exactly; raises `BadInputError` for one that cannot."""
    tidy = replace(file, is_tidy=True)
    texts = [file.column[name] for name in ("id", "reference", "account", "currency", *OPTIONAL) if name in file.column]
    # Nothing that can be seen sorts below the exclamation mark.
    untidy = [f"{column}::VARCHAR < '!' OR suffix({column}::VARCHAR, ' ')" for column in texts]
    untidy += [f"{tidy.text(name)} <> upper({tidy.text(name)})" for name in ("reference", "currency")]
    # As if all text were tidy first: it nearly always is, and trimming ten million rows is not free.
    rows, bad, untidy_rows = _count_bad(session, tidy, " OR ".join(untidy))
    if untidy_rows:
        rows, bad, _ = _count_bad(session, file, "false")
    for column, count in bad.items():
        if count:
            read_as = file if untidy_rows else tidy
            where = _where(session, file, _bad(read_as)[column], column)
            more = f" ({count} such rows)" if count > 1 else ""
            raise BadInputError(f"{where} {_WANTED.get(column, _amount_wanted(file))}{more}")
    return replace(file, is_tidy=untidy_rows == 0), rows


def _count_bad(session: Session, file: ForeignFile, untidy: str) -> tuple[int, dict[str, int], int]:
    bad = _bad(file)
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in (*bad.values(), untidy))
    [(rows, *found, untidy_rows)] = _read(session, file, f"SELECT count(*), {counts} FROM {file.scan}")
    return int(rows), dict(zip(bad, found, strict=True)), int(untidy_rows)


def _bad(file: ForeignFile) -> dict[str, str]:
    """Column → the condition of a row that cannot be read."""
    return {
        "id": f"{file.text('id')} IS NULL",
        "account": f"{file.text('account')} IS NULL",
        "currency": f"{file.text('currency')} IS NULL",
        "amount_minor" if file.has_minor else "amount": _bad_amount(file),
        "occurred_at": f"{_time(file)} IS NULL",
    }


def refuse_two_faced(session: Session, file: ForeignFile) -> None:
    """Raises `BadInputError` for a ledger row whose id names another row, with other contents, too: one of them would go unseen.

    Looks among the rows that do not fit one to one, once they are known; of those that do, none can hide another.
    """
    found = session.rows(
        "SELECT entry_id FROM rest_entry AS e GROUP BY entry_id HAVING count(DISTINCT e) > 1 ORDER BY entry_id LIMIT 1"
    )
    for (entry_id,) in found:
        where = _where(session, file, f"{file.text('id')} = {literal(entry_id)}", "id")
        raise BadInputError(f"{where} names another row, with other contents, too")


def normalised(file: ForeignFile) -> str:
    """A query with the columns of a published row; ids are text, keys are digests that hold within one run."""
    reference, account, currency = file.upper_text("reference"), file.text("account"), file.upper_text("currency")
    shared = {
        # 64 bits: among 20 million rows two groups meet once in 100,000 runs, and their sums would still be right.
        "match_key": f"CASE WHEN {reference} IS NOT NULL THEN hash({reference}, {account}, {currency}) END",
        "account_key": f"{account} || ' ' || {currency}",
        "reference": reference,
        "account": account,
        "asset": currency,
        "amount_minor": _minor(file),
        "row": "file_row_number::UINTEGER",
    }
    if file.side == "confirmation":
        own = {
            "confirmation_id": file.text("id"),
            "message_id": file.text("id"),
            **shared,
            "payer": f"coalesce({file.text('payer')}, {account})",
            "product": file.text("product"),
            "outcome": "'success'",
            "confidence": "'high'",
            "confirmed_at": _time(file),
            "batch_id": "NULL::UUID",
            "balance_minor": "NULL::BIGINT",
        }
    else:
        own = {
            "entry_id": file.text("id"),
            **shared,
            "kind": "NULL::VARCHAR",
            "own_key": "NULL::VARCHAR",
            "posted_at": _time(file),
            "batch_id": "NULL::UUID",
        }
    return "SELECT " + ", ".join(f"{sql} AS {name}" for name, sql in own.items()) + f" FROM {file.scan}"


def known(file: ForeignFile, as_of: datetime | None) -> str:
    """The condition of a normalised row that exists by `as_of`."""
    if as_of is None:
        return "true"
    time = "confirmed_at" if file.side == "confirmation" else "posted_at"
    return f"{time} <= {literal(as_of.isoformat())}::TIMESTAMPTZ"


def first_line(error: Exception) -> str:
    """What DuckDB has to say, without its advice and without the line that it quotes, which may name people."""
    told = str(error).split("\n\n", maxsplit=1)[0].splitlines()
    said = [line.strip() for line in told if not line.startswith(("Possible", "*", "Original Line", "LINE", "  "))]
    return re.sub(r"^.*CSV Error on Line: (\d+)", r"line \1:", " ".join(said))


def _time(file: ForeignFile) -> str:
    # Text without a zone is UTC, the session's zone; a date is its midnight.
    return f"TRY_CAST({file.column['occurred_at']} AS TIMESTAMPTZ)"


def _minor(file: ForeignFile) -> str:
    if file.has_minor:
        return f"TRY_CAST({file.column['amount_minor']} AS BIGINT)"
    if file.kind["amount"] in _INTEGERS:
        return f"TRY_CAST({file.column['amount']}::HUGEINT * (10 ** ({file.exponent}))::HUGEINT AS BIGINT)"
    if file.kind["amount"].startswith("DECIMAL"):
        scale = file.kind["amount"].rstrip(")").rpartition(",")[2]
        scaled = f"{file.column['amount']}::DECIMAL(38, {scale}) * (10 ** ({file.exponent}))::BIGINT"
        return f"CASE WHEN {scaled} = trunc({scaled}) THEN TRY_CAST({scaled} AS BIGINT) END"
    amount = f"trim({file.column['amount']}::VARCHAR)"
    decimals = f"rtrim(split_part({amount}, '.', 2), '0')"
    digits = f"split_part({amount}, '.', 1) || rpad({decimals}, {file.exponent}, '0')"
    return (
        f"CASE WHEN regexp_full_match({amount}, '{_DECIMAL}') AND length({decimals}) <= {file.exponent} "
        f"THEN TRY_CAST({digits} AS BIGINT) END"
    )


def _bad_amount(file: ForeignFile) -> str:
    minor = _minor(file)
    least = 1 if file.side == "confirmation" else -MAX_AMOUNT_MINOR
    return f"({minor}) IS NULL OR ({minor}) NOT BETWEEN {least} AND {MAX_AMOUNT_MINOR}"


def _amount_wanted(file: ForeignFile) -> str:
    if file.side == "confirmation":
        return "is not an exact, positive amount of its currency"
    return "is not an exact amount of its currency"


def _where(session: Session, file: ForeignFile, condition: str, column: str) -> str:
    """`file: row 17, column amount: '12,50'`, for the first row of which `condition` is true."""
    numbered = f"SELECT *, row_number() OVER () AS row_in_file FROM {file.scan}"
    first = f"SELECT row_in_file, {file.column[column]}::VARCHAR FROM ({numbered}) WHERE {condition} ORDER BY row_in_file LIMIT 1"
    [(row, value)] = _read(session, file, first)
    return f"{file.path}: row {row}, column {column}: " + ("empty" if value is None else repr(value))


def _read(session: Session, file: ForeignFile, query: str) -> list[tuple[Any, ...]]:
    try:
        return session.rows(query)
    except duckdb.Error as error:
        raise BadInputError(f"{file.path}: {first_line(error)}") from error
