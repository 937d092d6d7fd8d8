"""`reconcile parse`: JSON lines in, JSON lines out, in the same order, one for one. Big inputs are read by all cores."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from functools import cache
from itertools import chain, islice
from multiprocessing import get_context
from typing import IO, TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from reconcile.feeds.messages.catalogue import Catalogue, builtin
from reconcile.feeds.messages.phones import international
from reconcile.feeds.messages.reading import Message, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal
    from pathlib import Path

BATCH_LINES = 4_000
BATCH_BYTES = 8 << 20
MAX_LINE_BYTES = 1 << 20
# With fewer batches one process is done before a second one has loaded the catalogue.
_WORTH_PROCESSES_BATCHES = 4
_BATCHES_AHEAD = 2
_OPTIONAL_KEYS = ("sender", "country", "received_at")
_OPTIONAL = (str, type(None))
_Batch = tuple[int, list[bytes]]


class LineError(ValueError):
    """An input line is not a message: not JSON, not an object, without `id` or `text`, or too long. Names the line."""

    written_before = ""


def parse_stream(
    source: IO[bytes],
    sink: IO[str],
    *,
    templates: tuple[Path, ...] = (),
    processes: int | None = None,
    batch_lines: int = BATCH_LINES,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Read messages from `source`, write their readings to `sink`, and return how many lines there were.

    `templates` are files or folders beside the built-in ones. `processes` is by default the number of cores; `progress` is told how many lines are done, after each batch.
    Raises `LineError` at the first line that is no message; everything before it has been written by then.
    """
    done = 0
    try:
        for written, count in _converted(_batches(source, batch_lines), templates, processes or os.cpu_count() or 1):
            sink.write(written)
            done += count
            if progress is not None:
                progress(done)
    except LineError as error:
        sink.write(error.written_before)
        raise
    return done


def _converted(batches: Iterator[_Batch], templates: tuple[Path, ...], processes: int) -> Iterator[tuple[str, int]]:
    first = list(islice(batches, _WORTH_PROCESSES_BATCHES))
    everything = chain(first, batches)
    if processes == 1 or len(first) < _WORTH_PROCESSES_BATCHES:
        for batch in everything:
            yield convert(batch, templates), len(batch[1])
        return
    # Fresh processes: a fork of one that has threads (DuckDB, Arrow) may hang.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting: deque[tuple[Future[str], int]] = deque()
        try:
            for batch in everything:
                waiting.append((pool.submit(convert, batch, templates), len(batch[1])))
                if len(waiting) > _BATCHES_AHEAD * processes:
                    future, count = waiting.popleft()
                    yield future.result(), count
            while waiting:
                future, count = waiting.popleft()
                yield future.result(), count
        finally:
            pool.shutdown(cancel_futures=True)


def _batches(source: IO[bytes], batch_lines: int) -> Iterator[_Batch]:
    """Each batch with the number of its first line. A line without end is not read to its end."""
    number, batch, size_bytes = 1, list[bytes](), 0
    while line := source.readline(MAX_LINE_BYTES + 1):
        batch.append(line)
        size_bytes += len(line)
        if len(batch) == batch_lines or size_bytes >= BATCH_BYTES:
            yield number, batch
            number, batch, size_bytes = number + len(batch), [], 0
    if batch:
        yield number, batch


def convert(batch: _Batch, templates: tuple[Path, ...]) -> str:
    """The output lines of one batch; blank lines are no input. Raises `LineError`."""
    first, lines = batch
    catalogue = _catalogue(templates)
    written: list[bytes] = []
    for number, line in enumerate(lines, start=first):
        if line.strip():
            try:
                message = read_line(line, number)
            except LineError as error:
                error.written_before = b"".join(written).decode()
                raise
            written.append(write_line(message, catalogue.read(message)))
    return b"".join(written).decode()


@cache
def _catalogue(templates: tuple[Path, ...]) -> Catalogue:
    return Catalogue.load([builtin(), *templates])


def read_line(line: bytes, number: int) -> Message:
    """The message of one input line; raises `LineError`."""
    if len(line) > MAX_LINE_BYTES:
        raise LineError(f"line {number}: longer than {MAX_LINE_BYTES} bytes")
    try:
        row: Any = from_json(line)
    except ValueError as error:
        raise LineError(f"line {number}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise LineError(f"line {number}: expected an object with id and text, found {_name_of(row)}")
    get = row.get
    identity, text, sender, country, received_at = (
        get("id"), get("text"), get("sender"), get("country"), get("received_at"),
    )  # fmt: skip
    if not (isinstance(identity, str) and isinstance(text, str)):
        key, value = ("text", text) if isinstance(identity, str) else ("id", identity)
        raise LineError(f"line {number}: expected a text under {key!r}, found {_name_of(value)}")
    if not (type(sender) in _OPTIONAL and type(country) in _OPTIONAL and type(received_at) in _OPTIONAL):
        key, value = next((key, row[key]) for key in _OPTIONAL_KEYS if type(row.get(key)) not in _OPTIONAL)
        raise LineError(f"line {number}: expected a text or null under {key!r}, found {_name_of(value)}")
    try:
        moment = datetime.fromisoformat(received_at) if received_at else None
    except ValueError as error:
        raise LineError(f"line {number}: 'received_at' is not an ISO 8601 time: {received_at!r}") from error
    return Message(identity, text, sender, country, moment)


def write_line(message: Message, reading: Reading) -> bytes:
    """One output line: amounts as decimal strings in major units, accounts in E.164 where the country is known."""
    row = {"id": message.id, **_fields(reading, message.country and message.country.upper())}
    if reading.alternatives:
        row["alternatives"] = [_fields(other, message.country) for other in reading.alternatives]
    return to_json(row) + b"\n"


def _fields(reading: Reading, country: str | None) -> dict[str, Any]:
    return {
        "status": reading.status,
        "template": reading.template,
        "kind": reading.kind,
        "outcome": reading.outcome,
        "amount": _plain(reading.amount),
        "currency": reading.currency,
        "fee": _plain(reading.fee),
        "balance": _plain(reading.balance),
        "reference": reading.reference,
        "account": reading.account and international(reading.account, country),
        "payer": reading.payer and international(reading.payer, country),
        "occurred_at": reading.occurred_at and reading.occurred_at.isoformat(),
        "confidence": reading.confidence,
    }


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _name_of(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
