"""Columns of typed values, as text like everything else that arrives."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.feeds.limits import CHUNK_ROWS, Limits
from reconcile.feeds.readers.row import RawRow
from reconcile.feeds.refusal import Refused


def read_parquet(path: Path, columns: Mapping[str, str], limits: Limits) -> Iterator[RawRow]:
    """One row for each row of the file; `columns`: what a column is called here → what the file calls it.

    Raises `Refused` for a file that is cut off or no Parquet, for a missing column, and for one whose type has no exact
    text, such as a floating-point amount.
    """
    try:
        with pq.ParquetFile(path) as file:
            yield from _rows(file, columns, limits)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Refused(f"cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def _rows(file: Any, columns: Mapping[str, str], limits: Limits) -> Iterator[RawRow]:
    metadata, schema = file.metadata, file.schema_arrow
    if metadata.num_columns > limits.columns:
        raise Refused(f"has {metadata.num_columns} columns, more than the {limits.columns} that are allowed")
    if metadata.num_rows > limits.rows:
        raise Refused(f"has {metadata.num_rows} rows, more than the {limits.rows} that are allowed")
    unpacked = sum(metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups))
    if unpacked > limits.unpacked_bytes:
        raise Refused(f"unpacks to more than {limits.unpacked_bytes} bytes")
    to_text = {column: _converter(schema, name) for column, name in columns.items()}
    number = 0
    for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=list(columns.values())):
        texts = [
            [None if value is None else to_text[column](value) for value in batch.column(name).to_pylist()]
            for column, name in columns.items()
        ]
        for values in zip(*texts, strict=True):
            number += 1
            yield _row(number, dict(zip(columns, values, strict=True)), columns, limits)


def _row(number: int, cells: dict[str, str | None], columns: Mapping[str, str], limits: Limits) -> RawRow:
    raw = json.dumps({name: cells[column] for column, name in columns.items()}, ensure_ascii=False)
    if len(raw) > limits.row_bytes:
        raise Refused(f"a row is longer than {limits.row_bytes} bytes", row=number)
    if "\\u0000" in raw:
        return RawRow(number, raw, problem="holds characters that are no text")
    return RawRow(number, raw, {column: (text or "").strip() or None for column, text in cells.items()})


def _converter(schema: Any, name: str) -> Callable[[Any], str]:
    if schema.names.count(name) != 1:
        wrong = "stands twice in the schema" if name in schema.names else "is not in the schema"
        raise Refused(f"{wrong}, which has {', '.join(map(repr, schema.names))}", column=repr(name))
    kind = schema.field(name).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    for fits, converter in _CONVERTERS:
        if fits(kind):
            return converter
    raise Refused(f"is of type {kind}, which has no exact text", column=repr(name))


def _decimal(value: Decimal) -> str:
    return f"{value:f}"


def _instant(value: datetime) -> str:
    return value.isoformat()


def _boolean(value: bool) -> str:
    return "true" if value else "false"


_CONVERTERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], str]], ...] = (
    (pa.types.is_string, str),
    (pa.types.is_large_string, str),
    (pa.types.is_string_view, str),
    (pa.types.is_integer, str),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_boolean, _boolean),
    (pa.types.is_timestamp, _instant),
    (pa.types.is_null, str),
)
