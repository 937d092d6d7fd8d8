import fcntl
import os
from pathlib import Path


class AlreadyInUse(RuntimeError):  # noqa: N818 - says what is the matter; "Error" would not
    """Another process holds the folder."""

    def __init__(self, what: Path, holder: str) -> None:
        super().__init__(f"{what} is in use by the process {holder}. Stop that one first, or choose another home.")


class FileLock:
    """A folder's lock: held by one process at a time, and let go by the kernel when that process ends, however it ends.

    Raises `AlreadyInUse`, with the holder's process id, instead of waiting.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self) -> None:
        if self.held:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "that just started"
            os.close(descriptor)
            raise AlreadyInUse(self.path.parent, holder) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        # The file stays: to remove it would let two processes hold "the" lock of two different files.
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
