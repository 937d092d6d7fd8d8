"""A message as it was received: its text lies in the landed copy alone, never in a published batch."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final

import sqlalchemy as sa

from reconcile.config import ConfigurationError
from reconcile.desk.lake_file import Purchase
from reconcile.desk.pasted import catalogue
from reconcile.feeds.messages import Message
from reconcile.jobs.world import World
from reconcile.store.tables import batches

LINES_MAX: Final = 5_000_000
LINE_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class MessageText:
    """The words of one message, and the template that reads them today (None when none does)."""

    text: str
    template: str | None


def message_text(world: World, bought: Purchase) -> MessageText | None:
    """The message behind a confirmation, or None when its feed keeps no text or the landed copy is gone."""
    try:
        feed = world.configuration.feed(bought.feed)
    except ConfigurationError:
        return None  # a feed that has been taken out of the configuration
    if feed.file_format != "jsonl":
        return None
    query = sa.select(batches.c.landed_path).where(batches.c.batch_id == bought.batch_id)
    with world.database.begin() as connection:
        landed = connection.execute(query).scalar_one_or_none()
    if not landed or not world.lake.exists(landed):
        return None
    id_column, text_column = feed.named_columns["message_id"], feed.named_columns["text"]
    with world.lake.open(landed) as raw:
        row = _find(_lines(landed, raw), bought, id_column)
    if row is None or not isinstance(row.get(text_column), str):
        return None
    text = row[text_column]
    reading = catalogue().read(Message(id=bought.message_id, text=text, country=feed.region))
    return MessageText(text, reading.template)


def _lines(name: str, raw: IO[bytes]) -> Iterator[bytes]:
    stream = gzip.GzipFile(fileobj=raw) if name.endswith(".gz") else raw
    while line := stream.readline(LINE_BYTES_MAX):
        yield line


def _find(lines: Iterator[bytes], bought: Purchase, id_column: str) -> dict[str, Any] | None:
    wanted = bought.message_id.encode()
    for line in islice(lines, LINES_MAX):
        if wanted not in line:
            continue  # most lines are never parsed
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and str(row.get(id_column)) == bought.message_id:
            return row
    return None
