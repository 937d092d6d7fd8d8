"""A delivery without some of its rows: those that are left keep their numbers."""

import codecs
import csv
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reconcile.config import Feed
from reconcile.feeds.limits import CHUNK_ROWS, Limits
from reconcile.feeds.readers import RawRow, read_rows
from reconcile.feeds.readers.lines import PACKINGS, packing, read_lines

Rewritten = Callable[[RawRow], str | None]
"""The text that a row has in the copy; None leaves nothing of it but that there was one."""


def copy_lines(source: Path, target: Path, feed: Feed, limits: Limits, rewritten: Rewritten) -> None:
    """Copies a file of lines, packed as its source is. Raises `Refused` where that cannot be read on."""
    codec = PACKINGS.get(packing(source.name))
    with pa.OSFile(str(target), "wb") as file:
        if codec is None:
            _copy(source, file, feed, limits, rewritten)
        else:
            with pa.CompressedOutputStream(file, codec) as packed:
                _copy(source, packed, feed, limits, rewritten)


def copy_parquet(source: Path, target: Path, keep: Callable[[Any], Any]) -> None:
    """Copies a Parquet file; `keep` says of a record batch which rows stay (booleans), of all others every value is null."""
    with pq.ParquetFile(source) as file:
        schema = pa.schema([field.with_nullable(True) for field in file.schema_arrow])
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for batch in file.iter_batches(batch_size=CHUNK_ROWS):
                kept = keep(batch)
                columns = [pc.if_else(kept, values, pa.scalar(None, values.type)) for values in batch.columns]
                writer.write_batch(pa.record_batch(columns, schema=schema))


def _copy(source: Path, sink: Any, feed: Feed, limits: Limits, rewritten: Rewritten) -> None:
    written, encoder = 0, codecs.getincrementalencoder(feed.encoding)()
    for number, text in _texts(source, feed, limits, rewritten):
        # A row that spanned several lines is replaced by one; blank lines keep the numbers of those that follow.
        lines = "\n" * (number - 1 - written) + text + "\n"
        sink.write(encoder.encode(lines))
        written += lines.count("\n")


def _texts(source: Path, feed: Feed, limits: Limits, rewritten: Rewritten) -> Iterator[tuple[int, str]]:
    """(line, text) of everything that the copy holds."""
    rows = read_rows(source, feed, limits)
    first = next(rows, None)
    above = list(
        takewhile(lambda line: first is None or line[0] < first.number, read_lines(source, feed.encoding, limits))
    )
    yield from above
    nothing = "{}"
    if feed.file_format == "csv":
        header = list(feed.header) or next(csv.reader((f"{text}\n" for _, text in above), delimiter=feed.delimiter))
        nothing = feed.delimiter * (len(header) - 1)
    while first is not None:
        text = rewritten(first)
        yield first.number, nothing if text is None else text
        first = next(rows, None)
