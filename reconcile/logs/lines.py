"""One event as one line: for people, or as JSON for whatever collects it. Both are masked as a whole."""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, Any, Final

from reconcile.logs import context
from reconcile.logs.redaction import HIDDEN, NUMBER, Redact

UNITS: Final = ("_minor", "_rows", "_bytes", "_seconds", "_count", "_ms")
"""A whole number of eight digits or more is only kept under a name that ends in its unit; else it could be a phone number."""
_WHOLE_NUMBER_MAX: Final = 9_999_999
_DEPTH_MAX: Final = 4
_ORDINARY: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """`time`, `level`, `event`, `logger`, the fields of the event and its context, and `error` where there is one."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": instant(record),
            "level": record.levelname.lower(),
            "event": self._redact(message(record)),
            "logger": record.name,
            **masked(fields(record), self._redact),
        }
        if (error := _error(record)) is not None:
            line["error"] = {"type": error[0], "traceback": self._redact(error[1])}
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainLines(logging.Formatter):
    """Time, level, logger, event, then the fields as `name=value`; a traceback follows below."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return f"{instant(record)} {record.levelname:<7} {record.name}: {told(record, self._redact)}"


def told(record: logging.LogRecord, redact: Redact) -> str:
    """The event with its fields on one line, and its traceback, masked."""
    found = masked(fields(record), redact)
    first = " ".join([_on_one_line(redact(message(record))), *(f"{name}={_shown(found[name])}" for name in found)])
    error = _error(record)
    return first if error is None else f"{first}\n{redact(error[1]).rstrip()}"


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the event says of itself beside its message, and what it is part of."""
    own = {name: value for name, value in vars(record).items() if name not in _ORDINARY and not name.startswith("_")}
    return {**context.current(), **own}


def masked(value: Any, redact: Redact, *, name: str = "", depth: int = 0) -> Any:
    """The same value, fit for JSON, with every text in it masked, names of fields included."""
    if depth > _DEPTH_MAX:
        return HIDDEN
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) <= _WHOLE_NUMBER_MAX or name.endswith(UNITS) else NUMBER
    if isinstance(value, Mapping):
        return {redact(str(key)): masked(inner, redact, name=str(key), depth=depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(inner, redact, name=name, depth=depth + 1) for inner in value]
    return redact(_text(value))


def message(record: logging.LogRecord) -> str:
    """The message, also when somebody's arguments do not fit it: what cannot be said must not end the program."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - any object may stand in a log call, with any `__str__`
        return f"{_text(record.msg)} (its arguments do not fit: {type(error).__name__})"


def instant(record: logging.LogRecord) -> str:
    """When it was logged: ISO 8601 in UTC, to the millisecond."""
    at = datetime.fromtimestamp(record.created, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


class Stream(logging.Handler):
    """Writes lines to standard error. Its own failure does not print what it was given, as a standard handler's does."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            stream = self._stream or sys.stderr
            stream.write(f"{self.format(record)}\n")
            stream.flush()
        except Exception:  # noqa: BLE001 - a full disk or a closed pipe must not end what is being done
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        with suppress(Exception):
            sys.stderr.write(f"a line of {record.name} could not be logged\n")


def _error(record: logging.LogRecord) -> tuple[str, str] | None:
    if not record.exc_info or record.exc_info[1] is None:
        return None
    error = record.exc_info[1]
    return type(error).__name__, "".join(traceback.format_exception(error))


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - as in `message`
        return HIDDEN


def _shown(value: Any) -> str:
    text = _on_one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
    return json.dumps(text, ensure_ascii=False) if " " in text and isinstance(value, str) else text


def _on_one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
