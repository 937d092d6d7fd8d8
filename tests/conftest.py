"""One real PostgreSQL per test session; every test that asks for a database gets one of its own, already migrated."""

import contextlib
import itertools
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconcile.matching.cluster import Parcel
from reconcile.store.embedded import EmbeddedPostgres

# A test's data need not survive a power cut.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
OWNER = "reconcile"
TEMPLATE = "migrated"
S3_START_SECONDS = 60


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


@pytest.fixture(scope="session")
def _s3_server() -> Iterator[str]:
    """The address of an S3 server, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + S3_START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/moto-api/", timeout=1).close()
                break
            except urllib.error.URLError:
                assert server.poll() is None, "the S3 server has ended"
                assert time.monotonic() < deadline, "the S3 server does not answer"
                time.sleep(0.1)
        yield address
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def s3(_s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh bucket as a URL; the environment says where its server is, as AWS's own tools have it."""
    import fsspec

    for name, value in {
        "AWS_ENDPOINT_URL": _s3_server,
        "AWS_ACCESS_KEY_ID": "reconcile",
        "AWS_SECRET_ACCESS_KEY": "reconcile",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{next(_numbers)}"
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    fsspec.filesystem("s3").mkdir(bucket)
    return f"s3://{bucket}"


class Here:
    """A cluster of three machines, all of them this process: what is sent is pickled as it would be."""

    parallelism = 3

    def shuffle(self, tasks: int, read: Any, buckets: int, work: Any) -> Iterator[Parcel]:
        read, work = pickle.loads(pickle.dumps((read, work)))  # noqa: S301 - our own
        arrived: dict[int, list[Parcel]] = {}
        for task in reversed(range(tasks)):
            for parcel in read(task):
                assert 0 <= parcel.bucket < buckets
                arrived.setdefault(parcel.bucket, []).append(parcel)
        for bucket in sorted(arrived):
            yield from work(iter(arrived[bucket]))


@pytest.fixture(scope="session")
def here() -> Here:
    return Here()
