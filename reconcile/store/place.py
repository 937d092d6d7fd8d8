"""Places that are not folders of this machine: everything that an fsspec URL names.

Who may enter, and where a server answers, comes from the environment, as the store's own tools have it (`AWS_*`) or as
fsspec has it (`FSSPEC_SFTP_USERNAME`), never from the URL.
"""

import io
from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any, Final

import fsspec

from reconcile.config import ConfigurationError

_OBJECT_STORES: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
_CHANGED: Final = ("mtime", "LastModified", "updated", "modified", "created")
"""What different places call the time of a file's last change."""


def open_place(location: str) -> tuple[Any, str]:
    """(fsspec's file system, path within it) of a URL or a path; raises `ConfigurationError` where a package is missing."""
    try:
        filesystem, path = fsspec.core.url_to_fs(location)
    except (ImportError, ValueError) as error:
        raise ConfigurationError(f"{location.partition('://')[0]}://: {error}") from error
    return filesystem, path


def open_stream(location: str) -> IO[bytes]:
    """The bytes of a file; raises `OSError`, and `ConfigurationError` as `open_place` does."""
    filesystem, path = open_place(location)
    stream = filesystem.open(path, "rb")
    return stream if is_local(filesystem) else io.BufferedReader(stream)  # theirs cannot read a line of bounded length


def protocols(filesystem: Any) -> tuple[str, ...]:
    """The names under which URLs call it."""
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def is_local(filesystem: Any) -> bool:
    """Whether its paths are files of this machine."""
    return "file" in protocols(filesystem)


def is_object_store(filesystem: Any) -> bool:
    """Whether a file is there once all of it has arrived, and not before; and a folder only where it has files."""
    return not _OBJECT_STORES.isdisjoint(protocols(filesystem))


def changed_at_seconds(info: Mapping[str, Any]) -> float | None:
    """When a file was changed, in seconds since 1970, by the clock of its place; None where that does not say it."""
    said: Any = next((info[key] for key in _CHANGED if info.get(key) is not None), None)
    if isinstance(said, str):
        said = datetime.fromisoformat(said)
    return said.timestamp() if isinstance(said, datetime) else said
