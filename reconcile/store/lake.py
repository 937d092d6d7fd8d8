"""Where volume lives: a folder, or any fsspec URL (`s3://bucket/prefix`). A file counts only once a table names it."""

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import fsspec


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

    def register(self, connection: Any) -> None:
        """Lets a DuckDB connection open this lake's URLs."""
        if not self.is_local:
            connection.register_filesystem(self._filesystem)

    def _full(self, relative: str) -> str:
        parts = PurePosixPath(relative)
        if parts.is_absolute() or ".." in parts.parts:
            raise LakePathError(f"{relative!r} is not a path inside the lake")
        return f"{self._root.rstrip('/')}/{parts}"


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
