"""Folders below `$TMPDIR` that a worker needs for a while, and those of workers that were killed."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconcile.store.lock import AlreadyInUse, FileLock

_PREFIX: Final = "reconcile-scratch-"
_ALIVE: Final = ".alive"
_UNLOCKED_SECONDS: Final = 60
"""Between making a folder and locking it, in machine time: a younger one without a lock is left alone."""


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """A private folder, gone at the end. A killed worker leaves its own behind, with a lock that nobody holds."""
    folder = tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{purpose}-")
    lock = FileLock(Path(folder.name) / _ALIVE)
    try:
        with folder:
            lock.acquire()
            yield Path(folder.name)
    finally:
        lock.release()  # when it is gone: what its owner is removing, nobody else takes for abandoned


def abandoned() -> list[Path]:
    """The folders on this machine, of this user, whose worker is gone."""
    found = sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))
    return [folder for folder in found if _is_abandoned(folder)]


def size_bytes(path: Path) -> int:
    """Bytes of a file, or of all files below a folder. What somebody removes meanwhile counts for nothing."""
    inside = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
    return sum(map(_file_bytes, inside if path.is_dir() else [path]))


def _file_bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _is_abandoned(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        if not (folder / _ALIVE).exists():
            return time.time() - folder.stat().st_mtime > _UNLOCKED_SECONDS
        lock = FileLock(folder / _ALIVE)
        lock.acquire()
    except (AlreadyInUse, FileNotFoundError):
        return False
    lock.release()
    return True
