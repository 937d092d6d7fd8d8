import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "desk"))

import sample


@pytest.fixture
def world(database_url, tmp_path):
    world = sample.build(database_url, tmp_path)
    yield world
    world.database.dispose()
