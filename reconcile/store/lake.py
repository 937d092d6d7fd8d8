"""Where volume lives: a folder, or any fsspec URL (`s3://bucket/prefix`). A file counts only once a table names it."""

import io
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from reconcile.store.place import changed_at_seconds, is_local, is_object_store, open_place, protocols

PROBE_BYTES: Final = 64 * 1024
_COPY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One file below the root. `changed_at` is machine time."""

    path: str
    size_bytes: int
    changed_at: datetime


class LakePathError(ValueError):
    """A path leads out of the lake."""


class LakeWriteError(OSError):
    """What arrived in the lake is not what was sent; nothing may name it."""


class Lake:
    """Files under one root, named by relative paths with `/`. Files are written once and never changed.

    A root that is not a folder of this machine is a URL as `reconcile.store.place` opens it.
    """

    def __init__(self, root: str) -> None:
        self._filesystem, self._root = open_place(root)
        self.is_local: Final = is_local(self._filesystem)
        if self.is_local:
            Path(self._root).mkdir(parents=True, exist_ok=True)

    @property
    def filesystem(self) -> Any:
        """What opens the URLs of this lake (an fsspec file system); None where they are plain paths."""
        return None if self.is_local else self._filesystem

    def url(self, relative: str) -> str:
        """What DuckDB and pyarrow open: an absolute path, or the URL with its protocol."""
        full = self._full(relative)
        return full if self.is_local else str(self._filesystem.unstrip_protocol(full))

    def put(self, local: Path, relative: str) -> None:
        """Copies a local file, or a folder of files, to `relative`; each file appears whole or not. Raises `LakeWriteError`."""
        if local.is_dir():
            for file in sorted(path for path in local.rglob("*") if path.is_file()):
                self.put(file, f"{relative}/{file.relative_to(local).as_posix()}")
            return
        full = self._full(relative)
        if self.is_local:
            self._put_here(local, Path(full))
        else:
            self._put_there(local, full)

    def fetch(self, relative: str, target: Path) -> None:
        """Copies a file of the lake to a local one."""
        with self.open(relative) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, _COPY_BYTES)

    def open(self, relative: str) -> IO[bytes]:
        stream = self._filesystem.open(self._full(relative), "rb")
        return stream if self.is_local else io.BufferedReader(stream)  # theirs cannot read a line of bounded length

    def exists(self, relative: str) -> bool:
        return bool(self._filesystem.exists(self._full(relative)))

    def find(self, folder: str) -> Iterator[LakeFile]:
        """Every file below a folder, half-written ones included; none when there is no such folder."""
        self._filesystem.invalidate_cache()
        full = self._full(folder)
        if not self._filesystem.exists(full):
            return
        for path, info in self._filesystem.find(full, detail=True).items():
            relative = path.removeprefix(self._root.rstrip("/")).lstrip("/")
            yield LakeFile(relative, int(info["size"] or 0), _changed_at(info))

    def size_bytes(self, relative: str) -> int:
        """Of a file, or of all files below a folder; 0 when there is none."""
        self._filesystem.invalidate_cache()
        full = self._full(relative)
        return int(self._filesystem.du(full)) if self._filesystem.exists(full) else 0

    def remove(self, relative: str) -> None:
        """Removes a file, or a folder with all that is in it; harmless when there is none."""
        full = self._full(relative)
        with suppress(FileNotFoundError):
            self._filesystem.rm(full, recursive=True)

    def check(self) -> None:
        """Writes a small file and removes it again. Raises whatever keeps it from doing so."""
        probe = f".probe-{os.getpid()}-{threading.get_ident()}"
        with tempfile.TemporaryDirectory(prefix="reconcile-probe-") as scratch:
            local = Path(scratch) / "probe"
            local.write_bytes(bytes(PROBE_BYTES))
            try:
                self.put(local, probe)
            finally:
                self.remove(probe)

    def register(self, connection: Any) -> None:
        """Lets a DuckDB connection, and those that share its database, open this lake's URLs."""
        if not self.is_local and not connection.filesystem_is_registered(protocols(self._filesystem)[0]):
            connection.register_filesystem(self._filesystem)

    def _put_here(self, local: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            with local.open("rb") as source, partial.open("wb") as sink:
                shutil.copyfileobj(source, sink, _COPY_BYTES)
                sink.flush()
                os.fsync(sink.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)  # half a file on a full disk would keep it full
            raise

    def _put_there(self, local: Path, full: str) -> None:
        folder, _, name = full.rpartition("/")
        sent_to = full
        if not is_object_store(self._filesystem):
            self._filesystem.makedirs(folder, exist_ok=True)
            sent_to = f"{folder}/.{name}.{os.getpid()}.partial"
        self._filesystem.put_file(str(local), sent_to)
        self._filesystem.invalidate_cache(folder)
        sent, arrived = local.stat().st_size, self._filesystem.info(sent_to)["size"]
        if arrived != sent:
            raise LakeWriteError(f"{full} has {arrived} bytes of {sent}")
        if sent_to != full:
            self._filesystem.mv(sent_to, full)

    def _full(self, relative: str) -> str:
        parts = PurePosixPath(relative)
        if parts.is_absolute() or ".." in parts.parts:
            raise LakePathError(f"{relative!r} is not a path inside the lake")
        return f"{self._root.rstrip('/')}/{parts}"


def _changed_at(info: Mapping[str, Any]) -> datetime:
    seconds = changed_at_seconds(info)
    return datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
