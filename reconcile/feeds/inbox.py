"""What lies ready where a feed delivers, and what is not complete yet."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import PurePosixPath
from typing import IO, Any, Final

import fsspec

from reconcile.config import Configuration, Feed

STABLE_AFTER_SECONDS: Final = 5
"""Machine time for which a file without a control file must have stayed as it is before it counts as complete."""
_WILD: Final = "*?["
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".filepart")


@dataclass(frozen=True, slots=True)
class Delivery:
    """Files of one delivery. `source`: its name below the fixed part of the feed's location; `mark` changes when they do."""

    source: str
    path: str
    size: int
    control_path: str | None
    mark: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A delivery that is not complete: a data file or a control file without the other. `data_mark`: of the data file."""

    source: str
    data_mark: str | None

    def is_left_over(self, known: set[tuple[str, str]]) -> bool:
        """Whether it was taken before, and only one of its files was cleared away since."""
        marks = [mark for source, mark in known if source == self.source]
        return any(self.data_mark is None or mark.startswith(f"{self.data_mark} ") for mark in marks)


@dataclass(frozen=True, slots=True)
class Listing:
    """Both in the order of names."""

    ready: tuple[Delivery, ...]
    begun: tuple[Begun, ...]


class Inbox:
    """The place where one feed delivers: a pattern of files in a folder or below any fsspec URL."""

    def __init__(self, configuration: Configuration, feed: Feed) -> None:
        location = feed.location if "://" in feed.location else str(configuration.path(feed.location))
        self._filesystem, self._pattern = fsspec.core.url_to_fs(location)
        self._suffix = feed.control_suffix
        self._base = _fixed_part(self._pattern)

    def list(self) -> Listing:
        """What lies there now.

        Control files are listed before data files: a delivery that was complete when this began cannot be missed while a
        later one is seen, because its data file was there before the listing of data files began.
        """
        self._filesystem.invalidate_cache()
        if self._suffix is None:
            return self._stable(self._files(self._pattern))
        controls = self._files(self._pattern + self._suffix)
        data = {path: info for path, info in self._files(self._pattern).items() if not path.endswith(self._suffix)}
        ready = []
        for path, info in data.items():
            control = controls.get(path + self._suffix)
            if control is not None:
                mark = f"{_mark(info)} {_mark(control)}"
                ready.append(Delivery(self._name(path), path, info["size"], path + self._suffix, mark))
        complete = {delivery.path for delivery in ready}
        paths = {*data, *(path.removesuffix(self._suffix) for path in controls)} - complete
        return _in_order(
            ready, [Begun(self._name(path), _mark(data[path]) if path in data else None) for path in paths]
        )

    def open(self, path: str) -> IO[bytes]:
        stream: IO[bytes] = self._filesystem.open(path, "rb")
        return stream

    def _stable(self, data: Mapping[str, Any]) -> Listing:
        now = time.time()
        ready, begun = [], []
        for path, info in data.items():
            if now - info.get("mtime", 0) < STABLE_AFTER_SECONDS:
                begun.append(Begun(self._name(path), _mark(info)))
            else:
                ready.append(Delivery(self._name(path), path, info["size"], None, _mark(info)))
        return _in_order(ready, begun)

    def _files(self, pattern: str) -> dict[str, Any]:
        found = self._filesystem.glob(pattern, detail=True)
        return {path: info for path, info in found.items() if info["type"] == "file" and _finished(path)}

    def _name(self, path: str) -> str:
        return path.removeprefix(self._base).lstrip("/")


def _finished(path: str) -> bool:
    name = PurePosixPath(path).name
    return not name.startswith(".") and not name.endswith(_UNFINISHED)


def _fixed_part(pattern: str) -> str:
    """The folders of a pattern before its first wildcard; names below them tell deliveries apart."""
    fixed = []
    for part in PurePosixPath(pattern).parent.parts:
        if any(character in part for character in _WILD):
            break
        fixed.append(part)
    return str(PurePosixPath(*fixed)) if fixed else ""


def _mark(info: Mapping[str, Any]) -> str:
    changed = info.get("ETag") or info.get("mtime") or info.get("LastModified") or ""
    return f"{info['size']}@{changed.isoformat() if isinstance(changed, datetime) else changed}"


def _in_order(ready: Iterable[Delivery], begun: Iterable[Begun]) -> Listing:
    by_name = attrgetter("source")
    return Listing(tuple(sorted(ready, key=by_name)), tuple(sorted(begun, key=by_name)))
