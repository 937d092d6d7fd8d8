import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """One that every user may enter and only we may write to; its name is short, for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="reconcile-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    with _folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def short() -> Iterator[Path]:
    """The same for all tests of a module."""
    with _folder() as folder:
        yield folder
