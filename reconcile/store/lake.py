"""Where volume lives: a folder, or any fsspec URL (`s3://bucket/prefix`). A file counts only once a table names it."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import fsspec


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One file below the root. `changed_at` is machine time."""

    path: str
    size_bytes: int
    changed_at: datetime


class LakePathError(ValueError):
    """A path leads out of the lake."""


class Lake:
    """Files under one root, named by relative paths with `/`. Files are written once and never changed."""

    def __init__(self, root: str) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(root)
        self.is_local: Final = "file" in _protocols(self._filesystem)
        if self.is_local:
            Path(self._root).mkdir(parents=True, exist_ok=True)

    def url(self, relative: str) -> str:
        """What DuckDB and pyarrow open: an absolute path, or the URL with its protocol."""
        full = self._full(relative)
        return full if self.is_local else str(self._filesystem.unstrip_protocol(full))

    def put(self, local: Path, relative: str) -> None:
        """Copies a local file, or a folder of files, to `relative`; on a folder-backed lake each file appears whole or not."""
        if local.is_dir():
            for file in sorted(path for path in local.rglob("*") if path.is_file()):
                self.put(file, f"{relative}/{file.relative_to(local).as_posix()}")
            return
        full = self._full(relative)
        if not self.is_local:
            self._filesystem.put_file(str(local), full)
            return
        target = Path(full)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        with local.open("rb") as source, partial.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
            sink.flush()
            os.fsync(sink.fileno())
        partial.replace(target)

    def open(self, relative: str) -> IO[bytes]:
        stream: IO[bytes] = self._filesystem.open(self._full(relative), "rb")
        return stream

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

    def register(self, connection: Any) -> None:
        """Lets a DuckDB connection open this lake's URLs."""
        if not self.is_local:
            connection.register_filesystem(self._filesystem)

    def _full(self, relative: str) -> str:
        parts = PurePosixPath(relative)
        if parts.is_absolute() or ".." in parts.parts:
            raise LakePathError(f"{relative!r} is not a path inside the lake")
        return f"{self._root.rstrip('/')}/{parts}"


def _changed_at(info: Mapping[str, Any]) -> datetime:
    changed = info.get("mtime") or info.get("LastModified") or info.get("created")
    if isinstance(changed, datetime):
        return changed if changed.tzinfo else changed.replace(tzinfo=UTC)
    return datetime.fromtimestamp(changed, UTC) if changed else datetime.now(UTC)


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
