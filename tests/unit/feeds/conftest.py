from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconcile import config
from reconcile.feeds.readers import RawRow


@pytest.fixture
def configured(tmp_path):
    """Builds a configuration with one flow and one feed, which is given in part."""

    def build(**feed):
        given = {"name": "a", "flow": "topup", "reader": "csv", "location": "inbox/*.csv", **feed}
        flow = {"name": "topup", "asset": feed.pop("asset", "XOF"), "since": datetime(2024, 7, 9, tzinfo=UTC)}
        given.pop("asset", None)
        return config.build({"flow": [flow], "feed": [given]}, home=Path(tmp_path), source="the test")

    return build


def row(**cells):
    return RawRow(2, "raw", {name: value or None for name, value in cells.items()})
