"""Other people's messages, dropped before they land.

An SMS centre's log holds codes, bank alerts and private texts beside the confirmations. Of a row from a sender who is not on
the feed's list, and of one whose sender cannot be read, the copy keeps that there was one, and nothing else.
"""

import codecs
import csv
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reconcile.config import Feed
from reconcile.feeds.limits import CHUNK_ROWS, Limits
from reconcile.feeds.readers import RawRow, read_rows
from reconcile.feeds.readers.lines import PACKINGS, packing, read_lines

_UNREADABLE: Final = {"jsonl": '"withheld"', "csv": "withheld"}
"""Stands for a row that cannot be taken apart, and cannot be taken apart either."""


def listed_senders(feed: Feed) -> frozenset[str]:
    """The senders whose messages a feed is about, in the form in which they are compared; empty when it takes all."""
    return frozenset(sender.casefold() for sender in feed.senders)


def copy_listed(source: Path, target: Path, feed: Feed, limits: Limits) -> None:
    """Copies a file of the feed without what other senders wrote. Rows keep their numbers.

    Raises `Refused` where the file cannot be read on: who sent the rest of it is not known, so none of it is kept.
    """
    if feed.file_format == "parquet":
        for _ in read_rows(source, feed, limits):
            pass  # what cannot be read must be refused before any of it is copied
        _copy_parquet(source, target, feed)
        return
    codec = PACKINGS.get(packing(source.name))
    with pa.OSFile(str(target), "wb") as file:
        if codec is None:
            _copy_lines(source, file, feed, limits)
        else:
            with pa.CompressedOutputStream(file, codec) as packed:
                _copy_lines(source, packed, feed, limits)


def _copy_lines(source: Path, sink: Any, feed: Feed, limits: Limits) -> None:
    written, encoder = 0, codecs.getincrementalencoder(feed.encoding)()
    for number, text in _kept(source, feed, limits):
        # A row that spanned several lines is replaced by one; blank lines keep the numbers of those that follow.
        lines = "\n" * (number - 1 - written) + text + "\n"
        sink.write(encoder.encode(lines))
        written += lines.count("\n")


def _kept(source: Path, feed: Feed, limits: Limits) -> Iterator[tuple[int, str]]:
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
    listed = listed_senders(feed)
    while first is not None:
        yield first.number, _copied(first, feed, listed, nothing)
        first = next(rows, None)


def _copied(row: RawRow, feed: Feed, listed: frozenset[str], nothing: str) -> str:
    if row.problem:
        return _UNREADABLE[feed.file_format]
    return row.raw if (row.cells["sender"] or "").casefold() in listed else nothing


def _copy_parquet(source: Path, target: Path, feed: Feed) -> None:
    listed = listed_senders(feed)
    column = feed.named_columns["sender"]
    with pq.ParquetFile(source) as file:
        schema = pa.schema([field.with_nullable(True) for field in file.schema_arrow])
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for batch in file.iter_batches(batch_size=CHUNK_ROWS):
                senders = [str(sender or "").strip().casefold() for sender in batch.column(column).to_pylist()]
                keep = pa.array([sender in listed for sender in senders])
                kept = [pc.if_else(keep, values, pa.scalar(None, values.type)) for values in batch.columns]
                writer.write_batch(pa.record_batch(kept, schema=schema))
