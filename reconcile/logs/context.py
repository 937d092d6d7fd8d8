"""What all lines have in common while something is being done: which job, of which feed or flow."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_fields: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=MappingProxyType({}))


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Adds fields to every line that is logged inside the block."""
    before = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(before)


def current() -> Mapping[str, Any]:
    """The fields of whatever is being done here."""
    return _fields.get()


def adopt(fields: Mapping[str, Any]) -> None:
    """For a thread that works for another one: its lines carry the same fields."""
    _fields.set(fields)
