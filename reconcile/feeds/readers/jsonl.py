"""One JSON object a line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Never

from reconcile.feeds.readers.row import RawRow


class _OddError(ValueError):
    """JSON that a parser may read in more than one way, or that holds what no column can."""


def read_jsonl(lines: Iterator[tuple[int, str]], columns: Mapping[str, str]) -> Iterator[RawRow]:
    """One row for each line that is not blank; `columns`: what a column is called here → its key in the objects.

    Numbers stay as they are written: no float comes near an amount.
    """
    for number, line in lines:
        if not line.strip():
            continue
        try:
            found = _decoded(line)
            cells = {column: _cell(found.get(key), key) for column, key in columns.items()}
        except (json.JSONDecodeError, RecursionError):
            yield RawRow(number, line, problem="is not JSON")
        except _OddError as error:
            yield RawRow(number, line, problem=str(error))
        else:
            yield RawRow(number, line, cells)


def _decoded(line: str) -> dict[str, Any]:
    found = _DECODER.decode(line)
    if not isinstance(found, dict):
        raise _OddError("is not a JSON object")
    return found


def _cell(value: Any, key: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise _OddError(f"holds a list or an object under {key!r}")
    if not value.isascii() or "\0" in value:
        _refuse_untextual(value, key)
    return value.strip() or None


def _refuse_untextual(value: str, key: str) -> None:
    # Escapes can smuggle in what the bytes of the line could not hold.
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _OddError(f"holds under {key!r} characters that are no text")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _OddError("names a key twice")
    return found


def _constant(name: str) -> Never:
    raise _OddError(f"holds {name}, which is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_constant)
