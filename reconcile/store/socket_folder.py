"""Unix sockets have short paths: 107 bytes at most, which a deep working folder easily exceeds."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path holds 108 bytes with the final NUL


def short_enough(folder: Path, socket_name: str, *, uid: int) -> Path:
    """`folder`, or one among the temporary files when the socket's path would be too long. It exists, and is private.

    `uid` is who may own it beside us. Raises `PermissionError` when somebody else has taken the name.
    """
    if len(os.fsencode(folder / socket_name)) <= LONGEST_SOCKET_PATH:
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    elsewhere = Path(tempfile.gettempdir()) / f"reconcile-{digest}"
    elsewhere.mkdir(mode=0o700, exist_ok=True)
    status = elsewhere.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), uid}:
        raise PermissionError(f"{elsewhere} belongs to somebody else: remove it, or choose a home with a shorter path")
    return elsewhere
