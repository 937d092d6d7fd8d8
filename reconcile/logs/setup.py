"""Where the lines go: to standard error, or into the log of an Airflow task."""

import logging
import os
from collections.abc import Iterable
from typing import IO, Final, Literal

from reconcile.logs.lines import JsonLines, PlainLines, Stream, message, told
from reconcile.logs.redaction import Redact, Redactor

Format = Literal["text", "json"]
FORMAT_VARIABLE: Final = "RECONCILE_LOG_FORMAT"
LEVEL_VARIABLE: Final = "RECONCILE_LOG_LEVEL"
OURS: Final = "reconcile"

# Libraries that bring handlers of their own, or say each request; their lines go the way of all others.
_WEB_SERVER: Final = ("uvicorn", "uvicorn.error", "uvicorn.access")
_CHATTY: Final = ("httpx", "httpcore", "smpplib", "great_expectations", "alembic", "urllib3")


def to_standard_error(
    *, style: Format = "text", level: str = "info", secrets: Iterable[str] = (), stream: IO[str] | None = None
) -> None:
    """Sends every line of this process to standard error (or `stream`), masked; in place of what was set up before.

    The environment's `RECONCILE_LOG_FORMAT` and `RECONCILE_LOG_LEVEL` go before `style` and `level`.
    """
    style_said, level_said = os.environ.get(FORMAT_VARIABLE) or style, os.environ.get(LEVEL_VARIABLE) or level
    redact = Redactor(secrets)
    handler = Stream(stream)
    handler.setFormatter(JsonLines(redact) if style_said == "json" else PlainLines(redact))
    known = logging.getLevelNamesMapping().get(level_said.upper(), logging.INFO)
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, Stream)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(known)
    for name in _WEB_SERVER:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)  # one level for all, whatever the server set up for itself
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(known, logging.WARNING))
    logging.captureWarnings(True)


def to_airflow(*, secrets: Iterable[str] = ()) -> None:
    """Hands our own lines to the handlers that Airflow has set up, as finished, masked texts. The others' are not touched."""
    ours = logging.getLogger(OURS)
    ours.handlers, ours.propagate = [_Relay(Redactor(secrets))], False
    ours.setLevel(logging.INFO)


class _Relay(logging.Handler):
    """Makes of each record a plain one with nothing in it but the masked text, and gives that to the root logger."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def emit(self, record: logging.LogRecord) -> None:
        plain = logging.LogRecord(record.name, record.levelno, "", 0, told(record, self._redact), None, None)
        plain.created = record.created
        logging.getLogger().handle(plain)


class MaskedError(RuntimeError):
    """What a task of ours failed with, masked; the whole traceback, masked as well, stands above in its log."""


def masked_error(error: BaseException, secrets: Iterable[str] = ()) -> MaskedError:
    """The same failure for a scheduler that prints whatever it catches."""
    record = logging.LogRecord(OURS, logging.ERROR, "", 0, f"{type(error).__name__}: %s", (error,), None)
    return MaskedError(Redactor(secrets)(message(record)))
