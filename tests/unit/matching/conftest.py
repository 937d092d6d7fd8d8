"""What tests of matching are given."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reconcile.matching import dormant

if TYPE_CHECKING:
    from pathlib import Path


from tests.unit.matching.crowd import crowd_of
from tests.unit.matching.folding import DAY, RULES, Folder, balance_of, paid, posted, rows_of, said_in, state_rows, told
from tests.unit.matching.story import Story


@pytest.fixture(autouse=True)
def _sleepy(monkeypatch: pytest.MonkeyPatch) -> None:
    """In these small worlds, too, whatever can sleep does."""
    monkeypatch.setattr(dormant, "AWAKE_MAX", -1)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """With a horizon of one day."""
    return Folder(tmp_path / "flow", replace(RULES, horizon=timedelta(days=1)))


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(Folder(tmp_path))


# What the property tests build worlds from; functions, because tests cannot import this file.


@pytest.fixture(scope="session")
def told_row() -> Any:
    return told


@pytest.fixture(scope="session")
def posted_row() -> Any:
    return posted


@pytest.fixture(scope="session")
def paid_row() -> Any:
    return paid


@pytest.fixture(scope="session", name="rows_of")
def _rows_of() -> Any:
    return rows_of


@pytest.fixture(scope="session", name="state_rows")
def _state_rows() -> Any:
    return state_rows


@pytest.fixture(scope="session", name="balance_of")
def _balance_of() -> Any:
    return balance_of


@pytest.fixture(scope="session")
def at() -> Any:
    return lambda minute: DAY + timedelta(hours=12, minutes=minute)


@pytest.fixture(scope="session")
def new_folder() -> Any:
    return Folder


@pytest.fixture(scope="session")
def crowd() -> Any:
    return crowd_of


@pytest.fixture(scope="session")
def said() -> Any:
    return said_in
