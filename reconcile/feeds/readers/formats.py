"""Which reader takes a feed's files apart."""

from collections.abc import Iterator
from pathlib import Path

from reconcile.config import Feed
from reconcile.feeds.limits import Limits
from reconcile.feeds.readers.delimited import read_csv
from reconcile.feeds.readers.jsonl import read_jsonl
from reconcile.feeds.readers.lines import read_lines
from reconcile.feeds.readers.parquet import read_parquet
from reconcile.feeds.readers.row import RawRow
from reconcile.feeds.refusal import Refused


def read_rows(path: Path, feed: Feed, limits: Limits) -> Iterator[RawRow]:
    """The rows of one file of that feed, in their order; raises `Refused` where the file cannot be read on."""
    for count, row in enumerate(_rows(path, feed, limits), start=1):
        if count > limits.rows:
            raise Refused(f"has more than the {limits.rows} rows that are allowed", row=row.number)
        yield row


def _rows(path: Path, feed: Feed, limits: Limits) -> Iterator[RawRow]:
    match feed.file_format:
        case "csv":
            lines = read_lines(path, feed.encoding, limits)
            return read_csv(lines, feed.delimiter, feed.named_columns, limits, feed.header)
        case "jsonl":
            return read_jsonl(read_lines(path, feed.encoding, limits), feed.named_columns)
        case "parquet":
            return read_parquet(path, feed.named_columns, limits)
