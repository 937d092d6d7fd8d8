"""Virtual environments into which the built wheel is installed, beside an Airflow that was there before."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from elsewhere import CHECKOUT

LOCK = CHECKOUT / "requirements.lock"


@pytest.fixture(scope="session")
def uv() -> Path:
    """The tool that `make` sets itself up with."""
    local = CHECKOUT / ".boot" / "bin" / "uv"
    found = local if local.exists() else shutil.which("uv")
    if found is None:
        pytest.skip("there is no uv to make a second environment with; `make test` brings it")
    return Path(found)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder with a short name: sockets and programs start from it."""
    folder = Path(tempfile.mkdtemp(prefix="reconcile-elsewhere-"))
    yield folder
    shutil.rmtree(folder)
