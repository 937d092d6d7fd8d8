"""A customer's number in files of the lake: finding it, and putting a pseudonym in its place."""

from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import ipc

from reconcile import resources
from reconcile.domain.traces import Traces

_READ_BYTES: Final = 1 << 20
_OVERLAP_BYTES: Final = 256
"""Longer than any way of writing a number."""
_REPLACED: Final = {
    "account": "CASE WHEN account = {number} THEN {pseudonym} ELSE account END AS account",
    "payer": "CASE WHEN payer = {number} THEN {pseudonym} ELSE payer END AS payer",
    "match_key": "CASE WHEN account = {number} THEN match_key(getvariable('flow'), reference, {pseudonym}, asset)"
    " ELSE match_key END AS match_key",
    "account_key": "CASE WHEN account = {number} THEN account_key(getvariable('flow'), {pseudonym}, asset)"
    " ELSE account_key END AS account_key",
}
_VARIABLES: Final = {"number": "getvariable('account')", "pseudonym": "getvariable('pseudonym')"}


def holds(file: Path, traces: Traces) -> bool:
    """Whether the number stands anywhere in a local copy of a file: in any column of a Parquet or Arrow file, in any line of text."""
    if file.suffix == ".parquet":
        with pq.ParquetFile(file) as parquet:
            return any(_in_column(column, traces) for batch in parquet.iter_batches() for column in batch.columns)
    if file.suffix == ".arrow":
        with pa.memory_map(str(file)) as mapped, ipc.open_file(mapped) as reader:
            return any(
                _in_column(column, traces)
                for number in range(reader.num_record_batches)
                for column in reader.get_batch(number).columns
            )
    with pa.input_stream(str(file), compression="detect") as stream:
        rest = b""
        while chunk := stream.read(_READ_BYTES):
            chunk = chunk.replace(b"\0", b"")  # what makes UTF-16 of digits
            if traces.in_bytes(rest + chunk):
                return True
            rest = (rest + chunk)[-_OVERLAP_BYTES:]
    return False


def is_matched(file: Path, account: str) -> bool:
    """Whether it has rows of the account that are found by their keys, so that a new row may still meet one of them."""
    with pq.ParquetFile(file) as parquet:
        if "match_key" not in parquet.schema_arrow.names:
            return False
        accounts = (batch.column(0) for batch in parquet.iter_batches(columns=["account"]))
        return any(pc.any(pc.equal(some, account)).as_py() for some in accounts)


def rewrite(source: Path, target: Path, *, account: str, pseudonym: str, flow: str) -> None:
    """Writes a Parquet file in which the pseudonym stands in the place of the number."""
    names = pq.read_schema(source).names
    columns = ", ".join(text.format(**_VARIABLES) for name, text in _REPLACED.items() if name in names)
    values = {"file": str(source), "account": account, "pseudonym": pseudonym, "flow": flow}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(resources.text("sql/feeds/keys.sql"))
        for name, value in values.items():
            connection.execute(f"SET VARIABLE {name} = $1::VARCHAR", [value])
        query = resources.text("sql/keeping/erased.sql").format(columns=columns)
        quoted = str(target).replace("'", "''")
        connection.execute(f"COPY ({query}) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)")


def _in_column(column: Any, traces: Traces) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        return False
    return any(traces.in_text(str(value)) for value in column.unique().to_pylist() if value is not None)
