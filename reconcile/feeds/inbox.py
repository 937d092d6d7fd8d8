"""What lies ready where a feed delivers, and what is not complete yet."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import PurePosixPath
from typing import IO, Any, Final

from reconcile.config import Configuration, Feed
from reconcile.store.place import changed_at_seconds, is_local, is_object_store, open_place

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


class UnreachableError(RuntimeError):
    """The place where a feed delivers cannot be looked into. Nothing is known to be missing; the next run looks again."""


class Inbox:
    """The place where one feed delivers: a pattern of files in a folder or below any fsspec URL."""

    def __init__(self, configuration: Configuration, feed: Feed, location: str | None = None) -> None:
        """`location`: where to look instead of the feed's own."""
        self._location = location or feed.location
        path = self._location if "://" in self._location else str(configuration.path(self._location))
        self._filesystem, self._pattern = open_place(path)
        self._feed = feed
        self._suffix = feed.partner_suffix
        self._base = _fixed_part(self._pattern)

    def list(self) -> Listing:
        """What lies there now. Raises `UnreachableError`."""
        try:
            self._filesystem.invalidate_cache()
            listing = self._listing()
            if not listing.ready and not listing.begun:
                self._enter()
        except Exception as error:  # each kind of place has errors of its own
            said = str(error) if isinstance(error, OSError) else type(error).__name__
            raise UnreachableError(f"feed {self._feed.name}: {self._location} cannot be listed: {said}") from error
        return listing

    def open(self, path: str) -> IO[bytes]:
        stream: IO[bytes] = self._filesystem.open(path, "rb")
        return stream

    def is_unchanged(self, delivery: Delivery) -> bool:
        """Whether its data file is still the one that was listed."""
        self._filesystem.invalidate_cache()
        return delivery.mark.split()[0] == _mark(self._filesystem.info(delivery.path))

    def _listing(self) -> Listing:
        """Control files and markers are listed before data files: a delivery that was complete when this began cannot be
        missed while a later one is seen, because its data file was there before the listing of data files began.
        """
        if self._suffix is None:
            return self._stable(self._files(self._pattern))
        partners = self._files(self._pattern + self._suffix)
        data = {path: info for path, info in self._files(self._pattern).items() if not path.endswith(self._suffix)}
        ready = []
        for path, info in data.items():
            partner = partners.get(path + self._suffix)
            if partner is not None:
                control_path = path + self._suffix if self._feed.control_suffix else None
                mark = f"{_mark(info)} {_mark(partner)}"
                ready.append(Delivery(self._name(path), path, info["size"], control_path, mark))
        complete = {delivery.path for delivery in ready}
        paths = {*data, *(path.removesuffix(self._suffix) for path in partners)} - complete
        return _in_order(
            ready, [Begun(self._name(path), _mark(data[path]) if path in data else None) for path in paths]
        )

    def _stable(self, data: Mapping[str, Any]) -> Listing:
        now, stable_seconds = time.time(), self._feed.stable_for.total_seconds()
        ready, begun = [], []
        for path, info in data.items():
            if now - (changed_at_seconds(info) or 0) < stable_seconds:
                begun.append(Begun(self._name(path), _mark(info)))
            else:
                ready.append(Delivery(self._name(path), path, info["size"], None, _mark(info)))
        return _in_order(ready, begun)

    def _enter(self) -> None:
        """Raises an `OSError` where there is nothing to be found because the place is closed or not there.

        A folder of this machine may be made by the first delivery, and below a bucket a folder is there only with its files.
        """
        if not is_local(self._filesystem):
            bucket = self._base.partition("/")[0]
            self._filesystem.ls(bucket if is_object_store(self._filesystem) else self._base)

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
    return f"{info['size']}@{info.get('ETag') or changed_at_seconds(info)}"


def _in_order(ready: Iterable[Delivery], begun: Iterable[Begun]) -> Listing:
    by_name = attrgetter("source")
    return Listing(tuple(sorted(ready, key=by_name)), tuple(sorted(begun, key=by_name)))
