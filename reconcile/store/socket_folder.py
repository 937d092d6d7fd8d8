"""Unix sockets have short paths: 107 bytes at most, which a deep working folder easily exceeds."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path holds 108 bytes with the final NUL


def short_enough(folder: Path, socket_name: str) -> Path:
    """`folder`, or one among the temporary files when the path of the socket in it would be too long."""
    if len(os.fsencode(folder / socket_name)) <= LONGEST_SOCKET_PATH:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"reconcile-{digest}"


def make_private(folder: Path, *, uid: int) -> None:
    """Make sure that the folder is there and nobody else's; `uid` is who may own it beside us.

    Raises `PermissionError` when somebody else was there first, as anybody may be among the temporary files.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), uid}:
        raise PermissionError(f"{folder} belongs to somebody else: remove it, or choose a home with a shorter path")
