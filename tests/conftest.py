"""One real PostgreSQL per test session; every test that asks for a database gets one of its own, already migrated."""

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.store.embedded import EmbeddedPostgres

# A test's data need not survive a power cut.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
OWNER = "reconcile"
TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The session's server, with no database of ours yet but the empty `reconcile`."""
    # Not pytest's own temporary folder: only its owner may enter that, and started by root the server is somebody else.
    home = Path(tempfile.mkdtemp(prefix="reconcile-tests-"))
    home.chmod(0o711)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home)
        server = EmbeddedPostgres(home, settings=FAST)
        stack.callback(server.destroy)
        server.start()
        yield server


@pytest.fixture(scope="session")
def _migrated(postgres: EmbeddedPostgres) -> str:
    from reconcile.store import migrate
    from reconcile.store.database import Database

    database = Database(postgres.database(TEMPLATE, owner=OWNER))
    migrate.upgrade(database)
    database.dispose()  # a database in use cannot be copied
    return TEMPLATE


_numbers = itertools.count(1)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, _migrated: str) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh, migrated database, which is gone after the test."""
    name = f"test_{next(_numbers)}"
    yield postgres.database(name, owner=OWNER, template=_migrated)
    postgres.drop(name)


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh database with nothing in it."""
    name = f"test_{next(_numbers)}"
    yield postgres.database(name, owner=OWNER)
    postgres.drop(name)
