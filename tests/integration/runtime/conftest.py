import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that every user may enter and only we may write to."""
    folder = Path(tempfile.mkdtemp(prefix="reconcile-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
